//! Reads one shard from its checkpoint on and delivers its records in batches.

use aws_lambda_events::event::dynamodb::EventRecord;
use infra::fault;
use schema::Time;
use tokio::sync::watch;

use super::{
    Failure, Pump, asked_to_stop,
    checkpoint::{self, Checkpoint},
    delivery, pause,
    plan::{Plan, Step},
    reader::{self, Opened, Read},
    record::appended_at,
};

const TROUBLE_MS: u64 = 500; // the pause after a failed call to the stream or the table of checkpoints

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The shard is closed and all its records were handled, or it has expired.
    Finished,
    /// The pump is shutting down.
    Stopped,
}

pub(super) struct Worker {
    pump: Pump,
    stream: String,
    shard: String,
    place: Checkpoint,
    batches_since_prune: u32,
    writes: Option<watch::Receiver<u64>>,
    shutdown: watch::Receiver<bool>,
}

impl Worker {
    pub(super) fn new(pump: Pump, stream: String, shard: String, shutdown: watch::Receiver<bool>) -> Self {
        let writes = pump.writes.clone();
        Self { pump, stream, shard, place: Checkpoint::default(), batches_since_prune: 0, writes, shutdown }
    }

    /// Reads until the shard ends or the pump shuts down. A shutdown ends every pause early.
    pub(super) async fn run(mut self) -> End {
        self.pump.progress.taken.begins(self.pump.mapping.consumer, &self.shard);
        self.load().await;
        let mut iterator = None;
        while !asked_to_stop(&self.shutdown) {
            if self.place.finished {
                return End::Finished;
            }
            let Some(position) = iterator.take() else {
                match reader::open(
                    &self.pump.source,
                    &self.stream,
                    &self.shard,
                    self.place.sequence.as_deref(),
                )
                .await
                {
                    Opened::At(position) => iterator = Some(position),
                    Opened::Trimmed => self.start_over().await,
                    Opened::ShardGone => return End::Finished,
                    Opened::Trouble(cause) => {
                        self.wait_out("could not open a shard; will try again", &cause).await
                    }
                }
                continue;
            };
            if let Some(writes) = &mut self.writes {
                // A write after this line may be missing in the read below, so it ends the pause that
                // follows.
                writes.mark_unchanged();
            }
            let asked = self.pump.progress.taken.now();
            match reader::read(&self.pump.source, &self.stream, &position, self.pump.mapping.batch_size).await
            {
                Read::Records(records, next) => {
                    let idle = records.is_empty();
                    self.handled(if idle { Some(asked) } else { records.first().and_then(appended_at) });
                    if !self.deliver(&records).await {
                        return End::Stopped;
                    }
                    match next {
                        Some(_) if idle => self.wait_for_records().await,
                        Some(_) => {}
                        None => self.finish().await,
                    }
                    iterator = next;
                }
                // The loop opens the shard again at the checkpoint.
                Read::IteratorLost => pause(&mut self.shutdown, self.pump.mapping.poll_ms).await,
                Read::ShardGone => return End::Finished,
                Read::Trouble(cause) => {
                    iterator = Some(position);
                    self.wait_out("could not read a shard; will try again", &cause).await;
                }
            }
        }
        End::Stopped
    }

    /// Waits for the mapping's pause, or until a write may have added records.
    async fn wait_for_records(&mut self) {
        let pausing = pause(&mut self.shutdown, self.pump.mapping.poll_ms);
        let Some(writes) = &mut self.writes else { return pausing.await };
        tokio::select! {
            () = pausing => {}
            Ok(()) = writes.changed() => {}
        }
    }

    async fn load(&mut self) {
        while !asked_to_stop(&self.shutdown) {
            match checkpoint::load(&self.pump.source, self.pump.mapping.consumer, &self.stream, &self.shard)
                .await
            {
                Ok(place) => {
                    self.place = place;
                    self.report();
                    return;
                }
                Err(cause) => self.wait_out("could not load a checkpoint; will try again", &cause).await,
            }
        }
    }

    /// Continues at the oldest record, because the record after the checkpoint has expired unread.
    async fn start_over(&mut self) {
        tracing::error!(
            consumer = self.pump.mapping.consumer,
            shard = self.shard,
            after = self.place.sequence.as_deref(),
            "records of a shard expired before they were read; continuing with the oldest record"
        );
        self.place.sequence = None;
        pause(&mut self.shutdown, self.pump.mapping.poll_ms).await;
    }

    /// Delivers a batch until each record was handled or given up. Returns false if the pump shuts down
    /// before that.
    async fn deliver(&mut self, records: &[EventRecord]) -> bool {
        let mut plan = Plan::new(records.len(), &self.pump.mapping);
        // The loop ends, because every answer handles records, splits the batch, or uses one of a bounded
        // number of attempts.
        while let Some(due) = plan.due() {
            let (answer, cause) = delivery::call(
                &self.pump.handler,
                &records[due.clone()],
                due.start,
                self.pump.mapping.timeout_ms,
            )
            .await;
            let done = match plan.answered(answer) {
                Step::Handled(end) => end,
                Step::GiveUp(given_up, attempts) => {
                    let (consumer, shard) = (self.pump.mapping.consumer, (&*self.stream, &*self.shard));
                    let failure = Failure::of(consumer, shard, &records[given_up.clone()], attempts, cause);
                    if !self.hand_over(failure).await {
                        return false;
                    }
                    given_up.end
                }
                Step::Again(attempts) => {
                    tracing::warn!(
                        consumer = self.pump.mapping.consumer,
                        records = due.len(),
                        attempts,
                        cause,
                        "a handler failed a batch of stream records; it will be delivered again"
                    );
                    self.back_off(attempts).await;
                    if asked_to_stop(&self.shutdown) {
                        return false;
                    }
                    continue;
                }
            };
            self.place.sequence =
                records.get(done.saturating_sub(1)).and_then(|last| last.change.sequence_number.clone());
            if !self.save().await {
                return false;
            }
            self.handled(records.get(done.saturating_sub(1)).and_then(appended_at));
        }
        if !records.is_empty() {
            self.prune().await;
        }
        true
    }

    /// Calls the failure destination until it succeeds. Returns false if the pump shuts down before that.
    async fn hand_over(&mut self, failure: Failure) -> bool {
        let mut failures = 0;
        loop {
            let (on_failure, reference) = (self.pump.on_failure.clone(), failure.clone());
            let kept = delivery::isolated(
                Box::pin(async move { on_failure(reference).await }),
                self.pump.mapping.timeout_ms,
            )
            .await;
            let Err(cause) = kept else {
                tracing::error!(
                    consumer = failure.consumer,
                    first = failure.first,
                    last = failure.last,
                    cause = failure.cause,
                    "gave up stream records and passed them to the failure destination"
                );
                return true;
            };
            failures += 1;
            tracing::error!(
                consumer = failure.consumer,
                failures,
                cause,
                "could not pass given-up stream records to the failure destination; will try again"
            );
            self.back_off(failures).await;
            if asked_to_stop(&self.shutdown) {
                return false;
            }
        }
    }

    /// Marks the shard as read to its end.
    async fn finish(&mut self) {
        self.place.finished = true;
        self.save().await;
        self.pump.progress.taken.ended(self.pump.mapping.consumer, &self.shard);
    }

    /// All records that were in the shard before this time are handled.
    fn handled(&self, until: Option<Time>) {
        if let Some(until) = until {
            self.pump.progress.taken.is_handled(self.pump.mapping.consumer, &self.shard, until);
        }
    }

    /// Writes the checkpoint and repeats a failed write. Returns false if the pump shuts down before it
    /// succeeds; one attempt is made even then.
    async fn save(&mut self) -> bool {
        loop {
            let consumer = self.pump.mapping.consumer;
            fault::point("pump.checkpoint");
            match checkpoint::save(&self.pump.source, consumer, &self.stream, &self.shard, &self.place).await
            {
                Ok(()) => {
                    fault::point("pump.checkpointed");
                    self.report();
                    return true;
                }
                Err(_) if asked_to_stop(&self.shutdown) => return false,
                Err(cause) => self.wait_out("could not write a checkpoint; will try again", &cause).await,
            }
        }
    }

    fn report(&self) {
        if let Some(sequence) = &self.place.sequence {
            self.pump.progress.report(self.pump.mapping.consumer, &self.shard, sequence);
        }
    }

    async fn prune(&mut self) {
        self.batches_since_prune += 1;
        let Some(prune) =
            self.pump.prune.clone().filter(|_| self.batches_since_prune >= self.pump.mapping.prune_batches)
        else {
            return;
        };
        self.batches_since_prune = 0;
        if let Some(consumed) = self.pump.progress.consumed(&self.shard) {
            prune(consumed).await;
        }
    }

    async fn back_off(&mut self, failures: u32) {
        let doubled = 1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
        let ms = self.pump.mapping.retry_base_ms.saturating_mul(doubled).min(self.pump.mapping.retry_max_ms);
        pause(&mut self.shutdown, ms).await;
    }

    async fn wait_out(&mut self, message: &str, cause: &str) {
        tracing::warn!(consumer = self.pump.mapping.consumer, shard = self.shard, cause, "{message}");
        pause(&mut self.shutdown, TROUBLE_MS).await;
    }
}
