//! The budget of write units, by a manual clock.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{
        Builder, ConfigBag, Intercept, RuntimeComponents,
        interceptors::{AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextRef},
    },
    error::BoxError,
    operation::put_item::{PutItemInput, PutItemOutput},
};
use infra::{Backend, Clock, Rows, generations::Generations};
use projections::rebuild::{Command, Request, Worker};
use schema::{
    Actor,
    id::Component,
    projection::{Name, Promote, Stage},
};
use waitlist_tests::stage::Stage as Backstage;

use super::world::World;
use crate::history::visit;

/// The write units of a waiting party's row: in its table and three indexes.
const ROW_UNITS: f64 = 4.0;

/// Notes when each row is written, in milliseconds. Every row takes [`ROW_UNITS`].
#[derive(Clone, Debug)]
struct Ledger {
    clock: Clock,
    writes: Arc<Mutex<Vec<i64>>>,
}

impl Intercept for Ledger {
    fn name(&self) -> &'static str {
        "Ledger"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.input().downcast_ref::<PutItemInput>().is_some() {
            self.writes.lock().unwrap().push(self.clock.now().millis());
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else { return Ok(()) };
        if let Some(put) = output.downcast_ref::<PutItemOutput>() {
            assert_eq!(put.consumed_capacity().and_then(|used| used.capacity_units()), Some(ROW_UNITS));
        }
        Ok(())
    }
}

/// Rebuilds the rows of this many waiting parties. Returns the units written in each second from the first on.
async fn written(parties: usize, units_per_second: u32) -> Vec<f64> {
    let stage = Backstage::new().await.with_set_age(Duration::ZERO);
    let clock = stage.backend.clock.clone();
    let ledger = Ledger { clock: clock.clone(), writes: Arc::default() };
    let client = Client::from_conf(Builder::from(&stage.sdk).interceptor(ledger.clone()).build());
    let generations = Generations::new(stage.backend.log.clone(), Duration::ZERO);
    let rows = Rows::new(client, &stage.prefix, generations);
    let past: Vec<_> = (0..parties).flat_map(|_| visit(1).commits(&stage.backend)).collect();
    stage.put_past(&past).await;
    let backend = Backend { rows, ..stage.backend.clone() };
    let world = World::over(stage).worked_by(Worker::new(backend, 1));
    let request = Command::Request(Request {
        id: clock.id(clock.now()),
        by: Actor::System(Component::Operator),
        reason: None,
        promote: Promote::Manual,
        write_units_per_second: Some(units_per_second),
        command: None,
    });
    world.execute(Name::Waitees, request).await;
    world.run_until(Name::Waitees, Stage::Verifying).await;

    let writes = std::mem::take(&mut *ledger.writes.lock().unwrap());
    assert_eq!(writes.len(), parties);
    let first = *writes.iter().min().unwrap();
    let mut seconds: BTreeMap<i64, f64> = BTreeMap::new();
    for at in writes {
        *seconds.entry((at - first) / 1_000).or_default() += ROW_UNITS;
    }
    let last = *seconds.keys().last().unwrap();
    (0..=last).map(|second| seconds.get(&second).copied().unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_budget_is_never_exceeded_in_a_second_and_at_least_four_fifths_are_used_while_work_is_left() {
    // The rows of the first budgets are done on whole parts of a second; of the last one, a row begins at the end
    // of a second and takes a part of the next one as well.
    for (budget, over) in [(40, 0.0), (400, 0.0), (30, ROW_UNITS)] {
        let seconds = written(300, budget).await;
        let budget = f64::from(budget);
        assert!(seconds.iter().all(|units| *units <= budget + over), "{budget} a second: {seconds:?}");
        let (_last, whole) = seconds.split_last().unwrap();
        let used: f64 = whole.iter().sum();
        assert!(used >= 0.8 * budget * whole.len() as f64, "{budget} a second: {seconds:?}");
        assert!(used <= budget * whole.len() as f64 + over, "{budget} a second: {seconds:?}");
    }
}
