//! Starts a reader for each shard of the table's stream, and follows the table to another stream.

use std::{collections::BTreeSet, panic, time::Duration};

use tokio::{sync::watch, task::JoinSet};
use tracing::{error, warn};

use super::{
    DISCOVERY_MS, Failure, Pump, asked_to_stop, checkpoint, delivery,
    shard::{End, Worker},
    shards, until_stop,
};

const REPLACED: &str = "the table has another stream than before; the commits in between may be in neither";

/// The readers of one consumer.
pub(super) struct Readers {
    pump: Pump,
    /// The stream whose shards are read.
    stream: Option<String>,
    workers: JoinSet<(String, End)>,
    started: BTreeSet<String>,
    finished: BTreeSet<String>,
    /// Ends the readers when it is dropped.
    stop: watch::Sender<bool>,
}

impl Readers {
    pub(super) fn new(pump: Pump) -> Self {
        let stop = watch::Sender::new(false);
        let (workers, started, finished) = (JoinSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { pump, stream: None, workers, started, finished, stop }
    }

    /// Runs until the shutdown. Batches in the handler are finished first.
    pub(super) async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        while !asked_to_stop(&shutdown) {
            if let Err(cause) = self.look().await {
                let (consumer, table) = (self.pump.mapping.consumer, &self.pump.source.table);
                warn!(consumer, table, cause, "could not list the shards of a stream; will try again");
            }
            tokio::select! {
                () = until_stop(&mut shutdown) => {}
                // A shard that ended may have children, so the loop looks for them at once.
                Some(ended) = self.workers.join_next() => match ended {
                    Ok((shard, End::Finished)) => { self.finished.insert(shard); }
                    Ok((_, End::Stopped)) => {}
                    // Handlers run in tasks of their own, so this panic is a fault of the pump. Hiding it
                    // would stall the shard.
                    Err(lost) if lost.is_panic() => panic::resume_unwind(lost.into_panic()),
                    Err(_) => {}
                },
                () = tokio::time::sleep(Duration::from_millis(DISCOVERY_MS)) => {}
            }
        }
        self.end().await;
    }

    /// Starts the readers of new shards.
    async fn look(&mut self) -> Result<(), String> {
        let (asked, consumer) = (self.pump.progress.taken.now(), self.pump.mapping.consumer);
        let found = shards::list(&self.pump.source).await?;
        if self.stream.as_ref() != Some(&found.stream) {
            self.follow(&found.stream).await?;
        }
        self.pump.progress.taken.listed(consumer, &found.stream, asked);
        for shard in shards::ready(&found.shards, &self.started, &self.finished) {
            self.started.insert(shard.clone());
            let stopping = self.stop.subscribe();
            let worker = Worker::new(self.pump.clone(), found.stream.clone(), shard.clone(), stopping);
            self.workers.spawn(async move { (shard, worker.run().await) });
        }
        Ok(())
    }

    /// Reads another stream from now on. If the consumer has read one before, in this process or an earlier one, the
    /// commits in between are given up.
    async fn follow(&mut self, stream: &str) -> Result<(), String> {
        let Pump { source, mapping, .. } = &self.pump;
        let former = checkpoint::last_stream(source, mapping.consumer).await?;
        if former.as_deref() != Some(stream) {
            if let Some(former) = former {
                self.give_up(former).await?;
            }
            checkpoint::save_stream(source, mapping.consumer, stream).await?;
        }
        self.end().await;
        self.stream = Some(stream.to_owned());
        Ok(())
    }

    async fn give_up(&self, stream_arn: String) -> Result<(), String> {
        let consumer = self.pump.mapping.consumer;
        let since = self.pump.progress.taken.seen_at(consumer);
        let failure = Failure {
            consumer,
            stream_arn,
            since,
            shard: String::new(),
            first: String::new(),
            last: String::new(),
            records: 0,
            attempts: 0,
            cause: REPLACED.to_owned(),
        };
        let handing_over = (self.pump.on_failure)(failure);
        delivery::isolated(handing_over, self.pump.mapping.timeout_ms).await
    }

    /// Ends the readers, and forgets them.
    async fn end(&mut self) {
        self.stop = watch::Sender::new(false);
        while let Some(ended) = self.workers.join_next().await {
            if let Err(cause) = ended {
                error!(consumer = self.pump.mapping.consumer, %cause, "the reader of a shard panicked or was cancelled");
            }
        }
        self.started.clear();
        self.finished.clear();
    }
}
