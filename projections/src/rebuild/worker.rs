//! The worker: takes the steps of rebuilds from a queue. Every step may be taken twice, and none depends on another
//! one that runs at the same time.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use infra::{
    Backend, Failure, clock, fault,
    generations::HAND_OVER,
    queue,
    rows::PAGE_ROWS_MAX,
    work::{Step, Work},
};
use schema::{
    id::Component,
    projection::{Done, Name, Phase, Rebuild, Report, Stage, State},
};
use tokio::time::timeout;
use tracing::{info, warn};
use uuid::Uuid;

use super::{
    Command, Projection,
    advance::send,
    missed::{Missed, missed},
    operate::{author, read},
    quote::commits,
    step::{Due, SEGMENTS_AT_ONCE, SEGMENTS_MAX, first, left, segments},
};
use crate::dispatch::of_projection;

/// The pause before it is looked at again whether a table is active.
const CREATING_PAUSE: Duration = Duration::from_secs(2);

/// The pause before a rebuild is looked at again that is held up by parked doorbells.
const PARKED_PAUSE: Duration = Duration::from_secs(30);
/// The same for dead ones, which wait for a person. In SQS each look counts as an attempt of theirs.
const DEAD_PAUSE: Duration = Duration::from_secs(300);

/// The pause before a step is taken again whose worker lost every race to append.
const CONFLICT_PAUSE_MAX_S: u64 = 5;

/// The bounds of a worker. Tests use smaller ones.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// After this time a message begins no further page, and its rest is sent as a new message.
    pub work_max: Duration,
    /// The longest that a message waits for the candidate's table.
    pub create_max: Duration,
    /// The most segments of a phase.
    pub segments_max: u32,
    /// The most rows of a page that is verified.
    pub page_rows_max: i32,
}

/// Takes steps. Clones share their connections.
#[derive(Clone)]
pub struct Worker {
    pub(super) backend: Backend,
    /// The number of workers that run at once, among which the budget of write units is divided.
    pub(super) at_once: u32,
    pub(super) bounds: Bounds,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            work_max: Duration::from_secs(10),
            create_max: Duration::from_secs(10),
            segments_max: SEGMENTS_MAX,
            page_rows_max: PAGE_ROWS_MAX,
        }
    }
}

impl Worker {
    /// A worker that shares the budget of write units with as many others as run at once.
    #[must_use]
    pub fn new(backend: Backend, at_once: u32) -> Self {
        Self { backend, at_once, bounds: Bounds::default() }
    }

    /// The same worker with other bounds.
    #[must_use]
    pub fn with(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// Handles a batch of messages.
    pub async fn messages(&self, event: SqsEvent) -> SqsBatchResponse {
        queue::each(event, |body| async move { self.message(&body).await }).await
    }

    async fn message(&self, body: &str) -> Result<(), Failure> {
        let work: Work =
            serde_json::from_str(body).map_err(|cause| Failure::broken("read a step of a rebuild", cause))?;
        let projection = work.projection;
        match self.take(work.clone()).await {
            Err(Failure::Conflict) => {
                let seconds = 1 + u64::from(clock::random::<1>()[0]) % CONFLICT_PAUSE_MAX_S;
                self.send(projection, Due { step: work.step, delay: Duration::from_secs(seconds) }).await
            }
            taken => taken,
        }
    }

    async fn take(&self, Work { projection: name, step }: Work) -> Result<(), Failure> {
        let state = read(&self.backend, name).await?.state;
        fault::point("rebuild.state-read");
        match step {
            Step::Prepare { rebuild } => match at(&state, rebuild, &[Stage::Requested]) {
                Some(rebuild) => self.prepare(name, rebuild).await,
                None => Ok(()),
            },
            Step::Begin { rebuild, phase } => {
                let stages: &[Stage] = match phase {
                    Phase::Scan => &[Stage::Prepared, Stage::Scanning],
                    Phase::Verify => &[Stage::Verifying],
                };
                match at(&state, rebuild, stages) {
                    Some(rebuild) => self.begin(name, rebuild, phase).await,
                    None => Ok(()),
                }
            }
            Step::Scan { rebuild, part } => {
                let Some(rebuild) = at(&state, rebuild, &[Stage::Prepared, Stage::Scanning]) else {
                    return Ok(());
                };
                let delay = rebuild.prepared_at.map_or(HAND_OVER, |at| left(at, self.backend.clock.now()));
                if !delay.is_zero() {
                    let step = Step::Scan { rebuild: rebuild.id, part };
                    return self.send(name, Due { step, delay }).await;
                }
                if rebuild.scanned.is_finished(part.segment) {
                    return self.following(name, rebuild, Phase::Scan, part.segment).await;
                }
                of_projection!(name, P => self.scan::<P>(rebuild, part).await)
            }
            Step::Verify { rebuild, part } => {
                let Some(rebuild) = at(&state, rebuild, &[Stage::Verifying]) else { return Ok(()) };
                if rebuild.verified.is_finished(part.segment) {
                    return self.following(name, rebuild, Phase::Verify, part.segment).await;
                }
                of_projection!(name, P => self.verify::<P>(&state, rebuild, part).await)
            }
            Step::Conclude { rebuild } => match at(&state, rebuild, &[Stage::Ready]) {
                Some(rebuild) => self.conclude(name, rebuild).await,
                None => Ok(()),
            },
            Step::Retire { generation } => {
                let command = Command::Expire { generation };
                self.execute(name, Uuid::nil(), command).await
            }
            Step::Drop { generation } => self.drop_table(name, &state, generation).await,
        }
    }

    /// Creates the candidate's table, then counts the commits in a sample. The table can take longer to become active than
    /// a message waits: another message goes on waiting. The sample follows once, when the table is there.
    async fn prepare(&self, name: Name, rebuild: &Rebuild) -> Result<(), Failure> {
        let candidate = self.backend.rows.generation(name, rebuild.generation);
        let Ok(created) = timeout(self.bounds.create_max, candidate.create()).await else {
            let step = Step::Prepare { rebuild: rebuild.id };
            return self.send(name, Due { step, delay: CREATING_PAUSE }).await;
        };
        created?;
        fault::point("rebuild.table-created");
        let commits = commits(&self.backend, name).await?;
        let (scans, verifications) = segments(commits);
        let [scans, verifications] = [scans, verifications].map(|of| of.min(self.bounds.segments_max));
        self.execute(name, rebuild.id, Command::Prepare { rebuild: rebuild.id, scans, verifications })
            .await?;
        info!(projection = name.as_str(), rebuild = %rebuild.id, commits, "prepared a rebuild");
        Ok(())
    }

    /// Queues those of the first segments that are not finished. Each of them queues one that follows it.
    async fn begin(&self, name: Name, rebuild: &Rebuild, phase: Phase) -> Result<(), Failure> {
        let segments = rebuild.segments(phase);
        for segment in (0..segments.of().min(SEGMENTS_AT_ONCE)).filter(|one| !segments.is_finished(*one)) {
            let step = first(rebuild.id, phase, segment);
            self.send(name, Due { step, delay: Duration::ZERO }).await?;
            fault::point("rebuild.segment-queued");
        }
        Ok(())
    }

    /// Records a finished segment, and sends the one that follows it.
    pub(super) async fn finish(
        &self,
        name: Name,
        rebuild: &Rebuild,
        phase: Phase,
        (segment, done, found): (u32, Done, Report),
    ) -> Result<(), Failure> {
        fault::point("rebuild.segment-done");
        let command = Command::FinishSegment { rebuild: rebuild.id, phase, segment, done, found };
        self.execute(name, rebuild.id, command).await?;
        fault::point("rebuild.segment-finished");
        self.following(name, rebuild, phase, segment).await
    }

    async fn following(
        &self,
        name: Name,
        rebuild: &Rebuild,
        phase: Phase,
        segment: u32,
    ) -> Result<(), Failure> {
        let next = segment + SEGMENTS_AT_ONCE;
        if next >= rebuild.segments(phase).of() {
            return Ok(());
        }
        self.send(name, Due { step: first(rebuild.id, phase, next), delay: Duration::ZERO }).await
    }

    /// Promotes a rebuild. It waits while the new rows may lack the event of a parked or dead doorbell.
    async fn conclude(&self, name: Name, rebuild: &Rebuild) -> Result<(), Failure> {
        if let Some(missed) = missed(&self.backend, name, rebuild).await? {
            let delay = match missed {
                Missed::Waiting | Missed::Unread => PARKED_PAUSE,
                Missed::Dead { .. } => DEAD_PAUSE,
            };
            warn!(projection = name.as_str(), rebuild = %rebuild.id, reason = missed.advice(name), "a rebuild is not promoted yet");
            return self.send(name, Due { step: Step::Conclude { rebuild: rebuild.id }, delay }).await;
        }
        self.execute(name, rebuild.id, Command::Promote { rebuild: rebuild.id, by: None }).await?;
        info!(projection = name.as_str(), rebuild = %rebuild.id, "promoted a rebuild");
        Ok(())
    }

    /// Deletes the table of a retired generation, once no process uses it any more.
    async fn drop_table(&self, name: Name, state: &State, generation: u64) -> Result<(), Failure> {
        let Some(retired) = state.retired.iter().find(|retired| retired.generation == generation) else {
            return Ok(());
        };
        let delay = left(retired.at, self.backend.clock.now());
        if !delay.is_zero() {
            return self.send(name, Due { step: Step::Drop { generation }, delay }).await;
        }
        self.backend.rows.generation(name, generation).delete().await?;
        fault::point("rebuild.table-deleted");
        self.execute(name, Uuid::nil(), Command::Drop { generation }).await?;
        info!(projection = name.as_str(), generation, "deleted the table of a retired generation");
        Ok(())
    }

    async fn execute(&self, name: Name, rebuild: Uuid, command: Command) -> Result<(), Failure> {
        let author = author(Component::Rebuild, rebuild.to_string());
        self.backend.log.execute::<Projection>(name.stream(), &author, None, &command).await.map(drop)
    }

    pub(super) async fn send(&self, projection: Name, due: Due) -> Result<(), Failure> {
        send(&self.backend, projection, due).await
    }
}

fn at<'s>(state: &'s State, id: Uuid, stages: &[Stage]) -> Option<&'s Rebuild> {
    state.rebuild(id).filter(|rebuild| stages.contains(&rebuild.stage))
}
