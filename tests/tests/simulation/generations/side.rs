//! A feed whose calls are watched, and throttled in some generations of visits.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use infra::{Backend, Rows, generations::Generations};
use projections::feed::Feed;
use schema::projection::Name;
use waitlist_tests::stage::Stage;

use crate::proxy::{Proxy, Treatment, Trouble};

/// A feed with a set of generations of its own.
pub(crate) struct Side {
    pub(crate) feed: Feed,
    pub(crate) generations: Generations,
    proxy: Proxy,
    throttled: Arc<Mutex<Throttled>>,
    prefix: String,
}

#[derive(Default)]
struct Throttled {
    generations: BTreeSet<u64>,
    /// Of so many calls, one is answered; of one, none.
    one_in: usize,
}

impl Side {
    /// Starts a feed whose set is read again when it is older than this.
    pub(crate) async fn start(stage: &Stage, age_max: Duration) -> Self {
        let throttled: Arc<Mutex<Throttled>> = Arc::default();
        let (rule, counted, prefix) = (throttled.clone(), AtomicUsize::new(0), table_prefix(stage));
        let is_throttled = move |table: &str| {
            let Some(generation) = generation(table, &prefix) else { return false };
            let throttled = rule.lock().unwrap();
            let place = counted.fetch_add(1, Ordering::SeqCst);
            let answers = throttled.one_in > 1 && place % throttled.one_in == 0;
            throttled.generations.contains(&generation) && !answers
        };
        let proxy = Proxy::with(stage, move |_, table| {
            if is_throttled(table) { Treatment::Troubled(Trouble::Throttled) } else { Treatment::NotSelected }
        });
        let sdk = proxy.sdk().await;
        let client = aws_sdk_dynamodb::Client::new(&sdk);
        let generations = Generations::new(stage.log_over(client.clone()), age_max);
        let rows = Rows::new(client.clone(), &stage.prefix, generations.clone());
        let feed = Feed::new(Backend { rows, ..stage.backend_over(&sdk, client) });
        Self { feed, generations, proxy, throttled, prefix: table_prefix(stage) }
    }

    /// Reads the set, as if it had become too old.
    pub(crate) async fn reload(&self) {
        let known = self.generations.current().await.unwrap();
        self.generations.reload(&known).await.unwrap();
    }

    /// The live generation of visits, as this feed knows it.
    pub(crate) async fn live(&self) -> u64 {
        self.generations.current().await.unwrap().roles(Name::Waitees).live
    }

    pub(crate) fn throttle(&self, generations: BTreeSet<u64>, one_in: usize) {
        *self.throttled.lock().unwrap() = Throttled { generations, one_in };
    }

    /// Operation and generation of each call to the rows of visits since the last time, in order.
    pub(crate) fn take_calls(&self) -> Vec<(String, u64)> {
        let calls = self.proxy.take_calls().into_iter();
        calls.filter_map(|(operation, table)| Some((operation, generation(&table, &self.prefix)?))).collect()
    }
}

/// The beginning of the names of all tables of visits.
fn table_prefix(stage: &Stage) -> String {
    Name::Waitees.table_name(&stage.prefix, 0).trim_end_matches('0').to_owned()
}

fn generation(table: &str, prefix: &str) -> Option<u64> {
    table.strip_prefix(prefix)?.parse().ok()
}
