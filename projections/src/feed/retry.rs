//! Doorbells that could not be applied. They are parked on a queue and tried again, reading the log.

use std::time::Duration;

use infra::{
    Backend, Failure, fault,
    queue::SEND_DELAY_MAX,
    rows::{Patience, Target},
    telemetry::{correlated, metrics},
};
use schema::{StreamId, Time, id::Category, projection::Name};
use serde::{Deserialize, Serialize};
use tracing::{Instrument as _, info, warn};

use super::CONSUMER;
use crate::{
    doorbell::{Applied, Doorbell, apply_in},
    rebuild::advance::advance,
};

/// The first pause before a row that newer code wrote is looked at again. It grows with the time that has passed, up
/// to the longest delay of the queue.
const NEWER_PAUSE_MIN: Duration = Duration::from_secs(30);

/// How long a doorbell waits for code that is as new as its row: a deployment, or one that is undone, takes less.
/// Then it is tried as often as any other parked doorbell, and becomes a dead letter.
const NEWER_MAX: Duration = Duration::from_secs(24 * 3_600);

/// A parked doorbell, as the body of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The consumer that could not apply the doorbell.
    pub consumer: String,
    pub stream: StreamId,
    /// The doorbell's `last`.
    pub seq: u64,
    /// The failure, shown by the list of dead letters.
    pub cause: String,
    /// The generation that lacks the doorbell. `None` if any may lack it: the set of generations could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// The time from which on the doorbell has been waiting because newer code wrote its row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_since: Option<Time>,
    /// The id of the request that led to the doorbell's last commit, if it is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub correlation: String,
}

impl Parked {
    pub(super) fn new(doorbell: &Doorbell, generation: Option<u64>, cause: String) -> Self {
        let Doorbell { stream, last, .. } = *doorbell;
        let correlation = doorbell.correlation().to_owned();
        Self {
            consumer: CONSUMER.into(),
            stream,
            seq: last,
            cause,
            generation,
            newer_since: None,
            correlation,
        }
    }

    /// A doorbell whose row code of version `version` wrote.
    pub(super) fn behind(doorbell: &Doorbell, generation: u64, version: u32, since: Time) -> Self {
        let cause = format!("the row has version {version}, newer than this code");
        Self { newer_since: Some(since), ..Self::new(doorbell, Some(generation), cause) }
    }

    /// The doorbell with the request that led to another one.
    fn led_to_by(self, other: &Self) -> Self {
        Self { correlation: other.correlation.clone(), ..self }
    }

    /// A doorbell that is rung again, in one generation or in all, because it may have been lost.
    #[must_use]
    pub fn again(stream: StreamId, last: u64, generation: Option<u64>, cause: String) -> Self {
        Self::new(&Doorbell { stream, last, commits: Vec::new() }, generation, cause)
    }

    /// Puts the doorbell on the queue.
    ///
    /// # Errors
    /// The queue does not answer.
    pub async fn send(&self, backend: &Backend) -> Result<(), Failure> {
        let body = serde_json::to_string(self)
            .map_err(|cause| Failure::broken("serialise a parked doorbell", cause))?;
        fault::point("feed.park");
        let parked = backend.retries.send(&body, self.pause(backend.clock.now())).await;
        parked.map_err(|cause| Failure::broken("park a doorbell", cause))?;
        fault::point("feed.parked");
        Ok(())
    }

    /// Puts a doorbell on the queue that could not be applied.
    pub(super) async fn park(&self, backend: &Backend) -> Result<(), Failure> {
        self.send(backend).await?;
        metrics::PARKED.count([CONSUMER]);
        let Self { stream, seq, cause, generation, .. } = self;
        warn!(%stream, seq, generation, cause, "parked a doorbell that could not be applied");
        Ok(())
    }

    fn pause(&self, now: Time) -> Duration {
        self.newer_since
            .map_or(Duration::ZERO, |since| passed(since, now).clamp(NEWER_PAUSE_MIN, SEND_DELAY_MAX))
    }
}

/// Applies a parked doorbell in its generation. One whose generation has no role any more is done.
///
/// A doorbell whose row newer code wrote is parked again, as a fresh message, for at most [`NEWER_MAX`].
///
/// # Errors
/// `body` is not a parked doorbell, or the doorbell still cannot be applied.
pub async fn retry(backend: &Backend, body: &str) -> Result<(), Failure> {
    let parked: Parked =
        serde_json::from_str(body).map_err(|cause| Failure::broken("read a parked doorbell", cause))?;
    let span = correlated(&parked.correlation);
    apply_again(backend, &parked).instrument(span).await
}

async fn apply_again(backend: &Backend, parked: &Parked) -> Result<(), Failure> {
    if parked.stream.category == Category::Projection {
        return advance(backend, parked.stream).await;
    }
    let Some(name) = Name::folding(parked.stream.category) else { return Ok(()) };
    let doorbell = Doorbell { stream: parked.stream, last: parked.seq, commits: Vec::new() };
    let mut generations = generations(backend, name, parked.generation).await?.into_iter();
    let Some(first) = generations.next() else {
        info!(stream = %parked.stream, seq = parked.seq, generation = parked.generation, "dropped a parked doorbell, because its generation has no role any more");
        return Ok(());
    };
    let target = Target { generation: first, patience: Patience::Usual };
    let applied = ring(parked, backend, &doorbell, target, parked.newer_since).await;
    for other in generations {
        let target = Target { generation: other, patience: Patience::Once };
        if let Err(failure) = ring(parked, backend, &doorbell, target, None).await {
            let again = Parked::new(&doorbell, Some(other), failure.chain());
            again.led_to_by(parked).park(backend).await?;
        }
    }
    applied
}

/// The generations in which a doorbell is to be applied: the one that it names, if that has a role, or all.
async fn generations(backend: &Backend, name: Name, named: Option<u64>) -> Result<Vec<u64>, Failure> {
    let set = backend.rows.generations().current().await?;
    let all = |roles: schema::projection::Roles| roles.all().collect::<Vec<u64>>();
    let Some(named) = named else { return Ok(all(set.roles(name))) };
    if all(set.roles(name)).contains(&named) {
        return Ok(vec![named]);
    }
    // The set may be older than the generation.
    let set = backend.rows.generations().reload(&set).await?;
    Ok(all(set.roles(name)).into_iter().filter(|generation| *generation == named).collect())
}

async fn ring(
    parked: &Parked,
    backend: &Backend,
    doorbell: &Doorbell,
    target: Target,
    newer_since: Option<Time>,
) -> Result<(), Failure> {
    let generation = target.generation;
    match apply_in(backend, doorbell, target).await? {
        Applied::RowIsNewer(version) => {
            let now = backend.clock.now();
            let since = newer_since.unwrap_or(now);
            let waiting = Parked::behind(doorbell, generation, version, since).led_to_by(parked);
            if passed(since, now) < NEWER_MAX {
                return waiting.park(backend).await;
            }
            Err(Failure::broken(format!("project {}", doorbell.stream), waiting.cause))
        }
        applied @ (Applied::Written | Applied::AlreadyShown | Applied::NoProjection) => {
            info!(stream = %doorbell.stream, seq = doorbell.last, generation, applied = applied.as_str(), "applied a parked doorbell");
            Ok(())
        }
    }
}

fn passed(since: Time, now: Time) -> Duration {
    Duration::from_millis(u64::try_from(now.millis() - since.millis()).unwrap_or(0))
}
