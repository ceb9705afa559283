//! How far rows and reactions are behind the log.

use infra::{
    Backend, Clock, Failure,
    telemetry::metrics::{FEED_LAG, STREAM_AGE},
};
use projections::feed;
use reactors::reactor;
use schema::{Time, projection::Name};
use serde_json::Value;
use tracing::warn;

use crate::pump::{Progress, Source};

/// The most pointers to given-up records that are read.
const POINTERS_MAX: usize = 100;

/// The stream, and how far it was handled. Clones share the progress.
#[derive(Clone, Debug)]
pub(crate) struct Lag {
    pub(crate) source: Source,
    pub(crate) progress: Progress,
}

impl Lag {
    pub(crate) fn new(source: Source, clock: Clock) -> Self {
        Self { source, progress: Progress::by(clock, &[feed::CONSUMER, reactor::CONSUMER]) }
    }

    /// Sets the metrics of the lag as it is now. Nothing is known of the time before the start of this process, except by
    /// records, parked doorbells and pointers that it left.
    ///
    /// # Errors
    /// A queue or a table of rows does not answer. The metrics then leave out parked doorbells and given-up records.
    pub(crate) async fn show(&self, backend: &Backend) -> Result<(), Failure> {
        let stream = self.source.stream().await.unwrap_or_else(|cause| {
            warn!(cause, "could not ask for the stream of the events table");
            None
        });
        let until = |consumer| self.progress.taken_until(consumer, stream.as_deref());
        let now = backend.clock.now();
        for consumer in [feed::CONSUMER, reactor::CONSUMER] {
            STREAM_AGE.set(passed_ms(until(consumer), now), [consumer]);
        }
        let taken = until(feed::CONSUMER);
        Name::ALL.into_iter().for_each(|name| FEED_LAG.set(passed_ms(taken, now), [name.as_str()]));
        let (given_up, lacking) = (given_up(backend).await?, feed::lacking(backend).await?);
        for name in Name::ALL {
            let oldest = [Some(taken), given_up, lacking.get(&name).copied()].into_iter().flatten().min();
            FEED_LAG.set(passed_ms(oldest.unwrap_or(taken), now), [name.as_str()]);
        }
        Ok(())
    }
}

/// The time of the oldest records that the feed was not given. Their rows are right only after a sweep, which deletes
/// the pointers.
async fn given_up(backend: &Backend) -> Result<Option<Time>, Failure> {
    let pointers = backend.stream_failures.oldest(POINTERS_MAX).await;
    let pointers =
        pointers.map_err(|cause| Failure::passing("read the pointers to given-up records", cause))?;
    let since = |pointer: &infra::queue::Waiting| {
        let body: Value = serde_json::from_str(&pointer.body).unwrap_or_default();
        let since = body["since"].as_str().and_then(|since| since.parse().ok());
        (body["consumer"] != reactor::CONSUMER).then(|| since.unwrap_or(pointer.sent_at))
    };
    Ok(pointers.iter().filter_map(since).min())
}

fn passed_ms(since: Time, now: Time) -> u64 {
    u64::try_from(now.millis() - since.millis()).unwrap_or(0)
}
