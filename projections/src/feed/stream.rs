//! The projector lambda: applies records of the events table's stream, and parked doorbells.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    sqs::{SqsBatchResponse, SqsEvent},
    streams::DynamoDbEventResponse,
};
use futures::{StreamExt, stream};
use infra::{
    Backend, Failure,
    aws::OPERATION_TIMEOUT,
    clock::Moment,
    function::PROJECTOR,
    generations::Set,
    lambda, queue,
    rows::{Patience, Target},
    stream::{Announced, INSERT, answer, read},
    telemetry::{correlated, metrics},
};
use schema::{StreamId, id::Category, projection::Name};
use serde_json::Value;
use tracing::{Instrument as _, error};

use super::{Parked, retry};
use crate::{
    doorbell::{Applied, Doorbell, apply_in},
    rebuild::advance::advance,
};

/// Streams of a batch that are projected at once.
const STREAMS_AT_ONCE: usize = 8;
/// The time after which the projector begins no further call for a batch: the last one may take as long as its
/// time-out.
const BATCH_MAX: Duration =
    PROJECTOR.time_out.saturating_sub(OPERATION_TIMEOUT).saturating_sub(Duration::from_secs(1));
/// The time for applying the doorbells of a batch. The rest of [`BATCH_MAX`] is for parking the others.
const APPLYING_MAX: Duration = BATCH_MAX.saturating_sub(Duration::from_secs(6));
/// The time for writing the other generations of a batch, after the live one. The rest is parked, so that the next
/// batch does not wait for them.
const OTHERS_MAX: Duration = Duration::from_secs(3);
/// Attempts to apply a doorbell to the live generation before it is parked. Others are tried once.
const ATTEMPTS_MAX: u32 = 3;
const RETRY_DELAY_MS: u64 = 50; // doubled before each retry

#[derive(Clone)]
pub struct Feed {
    backend: Backend,
}

/// All records of a batch about one stream, as one doorbell.
struct StreamBatch {
    doorbell: Doorbell,
    /// The sequence number of the first record, from which Lambda delivers the batch again if the stream
    /// fails.
    first_record: String,
}

/// A doorbell for one generation.
#[derive(Clone, Copy)]
struct Ring<'b> {
    batch: &'b StreamBatch,
    target: Target,
}

impl Feed {
    #[must_use]
    pub fn new(backend: Backend) -> Self {
        Self { backend }
    }

    /// Handles a lambda event: a batch of stream records or of parked doorbells.
    ///
    /// # Errors
    /// The event is neither.
    pub async fn handle(&self, event: Value) -> Result<Value, lambda::Error> {
        if event["Records"][0]["eventSource"] == "aws:sqs" {
            return Ok(serde_json::to_value(self.parked(serde_json::from_value(event)?).await)?);
        }
        Ok(serde_json::to_value(self.records(serde_json::from_value(event)?).await)?)
    }

    /// Handles a batch of stream records. A stream that cannot be projected is parked, so that it does not
    /// block the others. If it cannot be parked either, the response reports it as failed, and Lambda
    /// delivers the batch again from its first record on.
    ///
    /// All live rows of the batch are written before the rows of other generations, each of which is tried once.
    /// A batch begins with one set of generations and keeps to it, which [`infra::generations::HAND_OVER`] counts on.
    ///
    /// Tables that answer late do not make the function time out, which would fail the whole batch: after
    /// [`APPLYING_MAX`] what is left is parked, after [`BATCH_MAX`] reported as failed.
    pub async fn records(&self, event: Event) -> DynamoDbEventResponse {
        let begun = self.backend.clock.moment();
        let (rebuilds, batches): (Vec<_>, Vec<_>) = group(event.records)
            .into_values()
            .partition(|batch| batch.doorbell.stream.category == Category::Projection);
        let advanced = rebuilds.iter().map(|batch| self.advance_or_park(batch, begun));
        let mut failed = some_at_once(advanced.collect()).await;
        let batches: Vec<StreamBatch> = batches
            .into_iter()
            .filter(|batch| Name::folding(batch.doorbell.stream.category).is_some())
            .collect();
        if batches.is_empty() {
            return answer(failed);
        }
        let set = match self.set(begun).await {
            Ok(set) => set,
            Err(failure) => {
                let parked = batches.iter().map(|batch| self.park_for_all(batch, &failure, begun));
                failed.extend(some_at_once(parked.collect()).await);
                return answer(failed);
            }
        };
        let rings: Vec<Ring<'_>> = batches.iter().flat_map(|batch| rings(batch, &set)).collect();
        let (live, others): (Vec<_>, Vec<_>) =
            rings.into_iter().partition(|ring| ring.target.patience == Patience::Usual);
        failed.extend(self.ring(live, begun, APPLYING_MAX).await);
        let until = self.backend.clock.moment().since(begun) + OTHERS_MAX;
        failed.extend(self.ring(others, begun, until.min(APPLYING_MAX)).await);
        failed.sort_unstable();
        failed.dedup();
        answer(failed)
    }

    /// Handles a batch of parked doorbells. The response names those that still cannot be applied; the queue
    /// delivers them again until they become dead letters.
    pub async fn parked(&self, event: SqsEvent) -> SqsBatchResponse {
        let begun = self.backend.clock.moment();
        queue::each(event, |body| async move {
            self.within(begun, BATCH_MAX, retry(&self.backend, &body)).await.unwrap_or_else(|| Err(late()))
        })
        .await
    }

    /// Applies doorbells, each to its generation, until the time `until` after the batch began. Returns the first
    /// records of the streams that could neither be applied nor parked.
    async fn ring(&self, rings: Vec<Ring<'_>>, begun: Moment, until: Duration) -> Vec<String> {
        let rung = rings.into_iter().map(|ring| async move {
            let parked = async {
                let parked = self.apply_or_park(ring, begun, until).await;
                parked.err().map(|failure| given_up(ring.batch, &failure))
            };
            parked.instrument(correlated(ring.batch.doorbell.correlation())).await
        });
        some_at_once(rung.collect()).await
    }

    /// Applies a doorbell to a generation, and parks it if that fails.
    async fn apply_or_park(&self, ring: Ring<'_>, begun: Moment, until: Duration) -> Result<(), Failure> {
        let (doorbell, target) = (&ring.batch.doorbell, ring.target);
        let attempts = match target.patience {
            Patience::Usual => ATTEMPTS_MAX,
            Patience::Once => 1,
        };
        let apply = || apply_in(&self.backend, doorbell, target);
        let parked = match self.attempt(begun, until, attempts, apply).await {
            Ok(Applied::Written | Applied::AlreadyShown | Applied::NoProjection) => return Ok(()),
            Ok(Applied::RowIsNewer(version)) => {
                Parked::behind(doorbell, target.generation, version, self.backend.clock.now())
            }
            Err(failure) => Parked::new(doorbell, Some(target.generation), failure.chain()),
        };
        self.park(&parked, begun).await
    }

    /// Queues the next steps of a rebuild, and parks the doorbell if that fails. Returns its first record if that
    /// fails as well.
    async fn advance_or_park(&self, batch: &StreamBatch, begun: Moment) -> Option<String> {
        let stream = batch.doorbell.stream;
        let advanced =
            self.attempt(begun, APPLYING_MAX, ATTEMPTS_MAX, || advance(&self.backend, stream)).await;
        self.park_for_all(batch, &advanced.err()?, begun).await
    }

    /// Parks a doorbell for all generations. Returns its first record if that fails.
    async fn park_for_all(&self, batch: &StreamBatch, failure: &Failure, begun: Moment) -> Option<String> {
        let parked = async {
            let parked = Parked::new(&batch.doorbell, None, failure.chain());
            self.park(&parked, begun).await.err().map(|failure| given_up(batch, &failure))
        };
        parked.instrument(correlated(batch.doorbell.correlation())).await
    }

    async fn park(&self, parked: &Parked, begun: Moment) -> Result<(), Failure> {
        if self.left(begun, BATCH_MAX).is_none() {
            return Err(Failure::passing("park a doorbell", parked.cause.clone()));
        }
        parked.park(&self.backend).await
    }

    /// The set of generations with which a batch begins.
    async fn set(&self, begun: Moment) -> Result<Arc<Set>, Failure> {
        let generations = self.backend.rows.generations();
        self.attempt(begun, APPLYING_MAX, ATTEMPTS_MAX, || generations.current()).await
    }

    /// Does `work` again while it fails in a way that may pass, until the time `until` after the batch began.
    async fn attempt<T, F>(
        &self,
        begun: Moment,
        until: Duration,
        attempts: u32,
        work: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut failed = late();
        for attempt in 0..attempts {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(RETRY_DELAY_MS << attempt)).await;
            }
            match self.within(begun, until, work()).await {
                Some(Ok(done)) => return Ok(done),
                Some(Err(failure)) if failure.is_passing() => failed = failure,
                Some(Err(failure)) => return Err(failure),
                None => break,
            }
        }
        Err(failed)
    }

    /// Runs `work` within what is left of `most` since the batch began. `None` if the time is over.
    async fn within<T>(&self, begun: Moment, most: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.left(begun, most)?, work).await.ok()
    }

    fn left(&self, begun: Moment, most: Duration) -> Option<Duration> {
        most.checked_sub(self.backend.clock.moment().since(begun)).filter(|left| !left.is_zero())
    }
}

/// The doorbell of a batch for each generation with a role, the live one first.
fn rings<'b>(batch: &'b StreamBatch, set: &Set) -> impl Iterator<Item = Ring<'b>> + use<'b> {
    let roles = Name::folding(batch.doorbell.stream.category).map(|name| set.roles(name));
    roles.into_iter().flat_map(move |roles| {
        roles.all().map(move |generation| {
            let patience = if generation == roles.live { Patience::Usual } else { Patience::Once };
            Ring { batch, target: Target { generation, patience } }
        })
    })
}

/// Runs these, [`STREAMS_AT_ONCE`] at a time. Returns the records of those that failed.
async fn some_at_once(works: Vec<impl Future<Output = Option<String>>>) -> Vec<String> {
    stream::iter(works).buffer_unordered(STREAMS_AT_ONCE).filter_map(async |failed| failed).collect().await
}

/// Logs that a doorbell could neither be applied nor parked. Returns its first record.
fn given_up(batch: &StreamBatch, failure: &Failure) -> String {
    error!(
        stream = %batch.doorbell.stream,
        cause = failure.chain(),
        "could neither apply nor park a doorbell; its records will be delivered again"
    );
    batch.first_record.clone()
}

/// The failure of a doorbell that the batch had no time for.
fn late() -> Failure {
    Failure::passing("apply a doorbell", "the time for its batch was over")
}

/// Groups records by stream, into one doorbell each. The order between streams does not matter.
fn group(records: Vec<EventRecord>) -> BTreeMap<StreamId, StreamBatch> {
    let mut batches: BTreeMap<StreamId, StreamBatch> = BTreeMap::new();
    for record in records {
        if record.event_name != INSERT {
            // Events are only inserted. A change or removal was made by other means than this code.
            metrics::ALTERED_EVENTS.count([]);
            error!(
                alarm = "event-altered",
                change = record.event_name,
                keys = ?record.change.keys,
                "an event in the log was modified or removed"
            );
            continue;
        }
        let Some(Announced { stream, seq, commit, record }) = read(record) else { continue };
        let batch = batches.entry(stream).or_insert_with(|| StreamBatch {
            doorbell: Doorbell { stream, last: seq, commits: Vec::new() },
            first_record: record,
        });
        batch.doorbell.last = batch.doorbell.last.max(commit.as_ref().map_or(seq, |commit| commit.last));
        batch.doorbell.commits.extend(commit);
    }
    for StreamBatch { doorbell, .. } in batches.values_mut() {
        doorbell.commits.sort_by_key(|commit| commit.seq);
        doorbell.commits.dedup_by_key(|commit| commit.seq);
    }
    batches
}
