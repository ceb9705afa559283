//! The sweep lambda: begins sweeps on schedules, and goes on with one message by message.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use infra::{
    Backend, Failure, fault, lambda,
    queue::{self, SEND_DELAY_MAX},
    telemetry::metrics,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::info;

use crate::{pace::Pace, report::Report, run::Sweep};

/// The longest that a message is worked on. The rest of the sweep is sent as a new message.
const WORK_MAX: Duration = Duration::from_secs(10);

/// The handler of the sweep lambda.
#[derive(Clone)]
pub struct Sweeper {
    backend: Backend,
    read_units_per_second: u32,
}

/// The schedule that calls the lambda, as its input names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Schedule {
    /// A sweep is due.
    Daily,
    /// A sweep is due if stream records were given up.
    GivenUp,
}

impl Schedule {
    fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::GivenUp => "given-up",
        }
    }
}

impl Sweeper {
    #[must_use]
    pub fn new(backend: Backend, read_units_per_second: u32) -> Self {
        Self { backend, read_units_per_second }
    }

    /// Handles a lambda event: the call of a schedule, or a batch of messages.
    ///
    /// # Errors
    /// The event is neither, or a sweep cannot be begun: the next call of the schedule tries again.
    pub async fn handle(&self, event: Value) -> Result<Value, lambda::Error> {
        if event["Records"][0]["eventSource"] == "aws:sqs" {
            return Ok(serde_json::to_value(self.messages(serde_json::from_value(event)?).await)?);
        }
        let schedule = serde_json::from_value(event["sweep"].clone())?;
        Ok(json!({ "begun": self.begin(schedule).await.map_err(lambda::fatal)? }))
    }

    /// Handles a batch of messages, each the rest of a sweep.
    pub async fn messages(&self, event: SqsEvent) -> SqsBatchResponse {
        queue::each(event, |body| async move { self.go_on(&body).await }).await
    }

    /// Begins a sweep if one is due and none is under way. Returns whether it did.
    async fn begin(&self, schedule: Schedule) -> Result<bool, Failure> {
        let is_due = match schedule {
            Schedule::Daily => true,
            Schedule::GivenUp => is_any(&self.backend.stream_failures).await?,
        };
        if !is_due {
            return Ok(false);
        }
        if is_any(&self.backend.sweeps).await? {
            info!(schedule = schedule.as_str(), "a sweep is under way; no other is begun");
            return Ok(false);
        }
        self.send(&Sweep::begin(&self.backend).await?, Duration::ZERO).await?;
        info!(schedule = schedule.as_str(), "began a sweep");
        Ok(true)
    }

    async fn go_on(&self, body: &str) -> Result<(), Failure> {
        let sweep = serde_json::from_str(body);
        let mut sweep: Sweep = sweep.map_err(|cause| Failure::broken("read the rest of a sweep", cause))?;
        let pace = Pace::new(Some(self.read_units_per_second), Some(WORK_MAX));
        sweep.run(&self.backend, &pace, |_| ()).await?;
        fault::point("sweep.worked");
        if !sweep.is_done() {
            return self.send(&sweep, pace.wait().await.min(SEND_DELAY_MAX)).await;
        }
        let Report { commits, streams, rung, ahead, extra, buried, pointers, read_units, .. } = sweep.report;
        metrics::SWEEP_FINDINGS.add(rung + ahead + extra + buried, []);
        info!(begun = %sweep.begun, commits, streams, rung, ahead, extra, buried, pointers, read_units, "finished a sweep");
        Ok(())
    }

    async fn send(&self, sweep: &Sweep, delay: Duration) -> Result<(), Failure> {
        let doing = "send the rest of a sweep";
        let body = serde_json::to_string(sweep).map_err(|cause| Failure::broken(doing, cause))?;
        let sent = self.backend.sweeps.send(&body, delay).await;
        sent.map(drop).map_err(|cause| Failure::passing(doing, cause))
    }
}

async fn is_any(queue: &queue::Queue) -> Result<bool, Failure> {
    let waiting = queue.waiting(1).await;
    Ok(waiting.map_err(|cause| Failure::passing("count the messages of a queue", cause))? > 0)
}
