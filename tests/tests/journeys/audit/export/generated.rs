//! Generated exports of generated histories, while writes go on and the index lags: the parts, whatever their size,
//! joined are exactly the events that a scan of the log finds.

use std::cell::RefCell;

use projections::audit::export::{Export, Part, Plan};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use schema::Time;
use serde_json::Value;
use waitlist_tests::{
    cases::{cases_up_to, runtime},
    stage::Stage,
};

use super::{lines, rows};
use crate::audit::{
    generated::{Moment, moment, write},
    oracle::{Wanted, history},
    world::{World, Write},
};

const CASES: u32 = 24;
const CASES_MAX: u32 = 200;
/// After so many cases the scans of the oracle get slow, and a new stage begins.
const CASES_OF_A_STAGE: u32 = 16;
const PARTS_MAX: usize = 500;

#[derive(Clone, Debug)]
struct Case {
    past: Vec<Write>,
    from: Option<Moment>,
    to: Option<Moment>,
    is_csv: bool,
    bytes_max: usize,
    meanwhile: Vec<Write>,
}

fn case() -> impl Strategy<Value = Case> {
    let bytes_max = prop_oneof![1 => Just(1), 3 => 200..3_000_usize, 2 => Just(4_000_000)];
    (vec(write(), 0..40), moment(), moment(), any::<bool>(), bytes_max, vec(write(), 0..6)).prop_map(
        |(past, from, to, is_csv, bytes_max, meanwhile)| Case {
            past,
            from,
            to,
            is_csv,
            bytes_max,
            meanwhile,
        },
    )
}

#[test]
fn joined_parts_hold_exactly_the_log_of_the_time() {
    let runtime = runtime();
    let stages = RefCell::new(Vec::new());
    let mut runner = TestRunner::new(cases_up_to(CASES_MAX, CASES));
    runner
        .run(&case(), |case| {
            runtime.block_on(async {
                let last = stages.borrow_mut().pop();
                let stage = match last {
                    Some((stage, cases)) if cases < CASES_OF_A_STAGE => (stage, cases + 1),
                    _ => (Stage::new().await, 1),
                };
                case.judge(&stage.0).await;
                stages.borrow_mut().push(stage);
            });
            Ok(())
        })
        .unwrap();
}

impl Case {
    async fn judge(&self, stage: &Stage) {
        World::begin(stage).await; // another account
        let mut world = World::begin(stage).await;
        for write in &self.past {
            world.write(*write).await;
        }
        let moment = |of: Option<Moment>| of.map(|of| of.among(&world.times));
        let (from, to) = (moment(self.from), moment(self.to));
        let to = to.filter(|to| from.is_none_or(|from| from < *to));
        let text = |time: Option<Time>| time.map(|time| time.to_string());
        let (files, end) = self.read(&mut world, text(from), text(to)).await;
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let found: Vec<Value> =
            if self.is_csv { rows(&files) } else { files.iter().flat_map(|file| lines(file)).collect() };
        let wanted = Wanted { from: text(from), to: Some(end), ..Wanted::default() };
        assert_eq!(found, history(stage, world.owner, &wanted).await, "{self:?}");
    }

    /// The files of the parts, and the time at which the export ends.
    async fn read(
        &self,
        world: &mut World<'_>,
        from: Option<String>,
        mut to: Option<String>,
    ) -> (Vec<String>, String) {
        let format = if self.is_csv { "csv" } else { "ndjson" };
        let (backend, mut meanwhile) = (&world.stage.backend, self.meanwhile.iter());
        let (mut files, mut cursor, mut earlier_end) = (Vec::new(), None, Time::from_millis(0));
        for _ in 0..PARTS_MAX {
            let export = Export::parse([Some(format.to_owned()), from.clone(), to.clone(), cursor]).unwrap();
            let plan = Plan::of(backend, world.owner, &export).await.unwrap();
            let end = to.get_or_insert(plan.to().to_string()).clone();
            let end = end.min(plan.to().to_string());
            to = Some(end.clone());
            let Part { file, end: part_end, next, .. } =
                plan.read(backend, &export, self.bytes_max).await.unwrap();
            let bytes = file.into_bytes();
            let file = String::from_utf8(bytes).unwrap();
            let events = file.trim_start_matches('\u{feff}').lines().count() - usize::from(self.is_csv);
            assert!(events <= 1 || file.len() <= self.bytes_max, "{events} events in {} bytes", file.len());
            assert!(part_end >= earlier_end, "{self:?}");
            files.push(file);
            let Some(next) = next else { return (files, end) };
            (cursor, earlier_end) = (Some(next), part_end);
            if let Some(write) = meanwhile.next() {
                world.write(*write).await;
            }
        }
        panic!("the parts do not end: {self:?}");
    }
}
