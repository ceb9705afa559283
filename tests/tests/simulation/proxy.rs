//! A proxy between a test and its embedded engine, in the same process. It delays, loses or refuses selected calls.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_config::SdkConfig;
use infra::{
    Backend,
    aws::{Answer, Call, in_process},
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use waitlist_tests::stage::{Engine, Stage};

use crate::oracle::{PATIENCE, POLL};

// Delays of late calls: long enough to be overtaken, by a varying number of calls.
const LATE_MAX_MS: u64 = 12;
const LATE_STEP_MS: u64 = 7;

/// The treatment of a selected call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Throttled,
    /// Answered with an internal error.
    Broken,
    /// Neither executed nor answered.
    Unanswered,
    /// Executed, but not answered.
    AnswerLost,
    /// Delayed by a varying time.
    Late,
    /// Delayed until the test calls [`Proxy::release`].
    Held,
}

pub(crate) struct Proxy(Arc<Line>);

struct Line {
    engine: Engine,
    rule: Rule,
    called: AtomicUsize,
    released: Semaphore,
    /// Operation and table of each call, in order.
    calls: Mutex<Vec<(String, String)>>,
}

/// Decides on the treatment of a call by its operation and table.
type Rule = Box<dyn Fn(&str, &str) -> Treatment + Send + Sync>;

/// The treatment of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    NotSelected,
    /// Selected, and forwarded.
    Counted,
    Troubled(Trouble),
}

impl Proxy {
    /// Returns a proxy that applies `trouble` to the first `calls` of this operation on this table and forwards all other
    /// calls.
    pub(crate) fn new(
        stage: &Stage,
        operation: &'static str,
        table: String,
        trouble: Trouble,
        calls: usize,
    ) -> Self {
        let left = AtomicUsize::new(calls);
        Self::with(stage, move |called, of| {
            if called != operation || of != table {
                return Treatment::NotSelected;
            }
            let take = |left: usize| left.checked_sub(1);
            match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
                Ok(_) => Treatment::Troubled(trouble),
                Err(_) => Treatment::Counted,
            }
        })
    }

    /// Returns a proxy that treats calls by operation and table.
    pub(crate) fn with(
        stage: &Stage,
        rule: impl Fn(&str, &str) -> Treatment + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Line {
            engine: stage.engine.clone(),
            rule: Box::new(rule),
            called: AtomicUsize::new(0),
            released: Semaphore::new(0),
            calls: Mutex::default(),
        }))
    }

    /// The configuration of clients that use this proxy, with the time-outs of production.
    pub(crate) async fn sdk(&self) -> SdkConfig {
        let line = self.0.clone();
        in_process(move |call| {
            let line = line.clone();
            async move { line.pass(call).await }
        })
        .await
    }

    /// Returns a backend like the stage's that uses this proxy.
    pub(crate) async fn backend(&self, stage: &Stage) -> Backend {
        let sdk = self.sdk().await;
        stage.backend_over(&sdk, aws_sdk_dynamodb::Client::new(&sdk))
    }

    /// Returns operation and table of each call since the last time, in order.
    pub(crate) fn take_calls(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0.calls.lock().unwrap())
    }

    /// Forwards one held call.
    pub(crate) fn release(&self) {
        self.0.released.add_permits(1);
    }

    /// Waits for the first selected call.
    pub(crate) async fn until_called(&self) {
        let called = async {
            while self.calls() == 0 {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(PATIENCE, called).await.expect("the call should have been made by now");
    }

    /// Returns the number of selected calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.0.called.load(Ordering::SeqCst)
    }
}

impl Line {
    async fn pass(&self, call: Call) -> Answer {
        let request: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let operation = call.target.rsplit('.').next().unwrap_or_default();
        let table = request["TableName"].as_str().unwrap_or_default();
        self.calls.lock().unwrap().push((operation.to_owned(), table.to_owned()));
        let treatment = (self.rule)(operation, table);
        if treatment == Treatment::NotSelected {
            return self.engine.answer(call).await;
        }
        let place = self.called.fetch_add(1, Ordering::SeqCst) as u64;
        let Treatment::Troubled(trouble) = treatment else { return self.engine.answer(call).await };
        match trouble {
            Trouble::Throttled => return refusal(400, "ProvisionedThroughputExceededException"),
            Trouble::Broken => return refusal(500, "InternalServerError"),
            Trouble::Unanswered => return std::future::pending().await,
            Trouble::AnswerLost => {
                self.engine.answer(call).await;
                return std::future::pending().await;
            }
            Trouble::Late => {
                tokio::time::sleep(Duration::from_millis(place * LATE_STEP_MS % LATE_MAX_MS)).await
            }
            Trouble::Held => self.released.acquire().await.unwrap().forget(),
        }
        self.engine.answer(call).await
    }
}

fn refusal(status: u16, kind: &str) -> Answer {
    let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "simulated failure" });
    Answer { status, body: body.to_string() }
}
