//! The set of generations: for each projection, the tables of rows that are read and written now.
//!
//! The set is folded from the projections' streams in the log. Every process that touches rows takes the names of
//! tables from it, and reads it again when it is older than [`SET_AGE_MAX`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::try_join_all;
use schema::{
    Time,
    projection::{Event, Name, Roles, Stage, State},
};
use tokio::sync::Mutex;

use crate::{
    clock::{Clock, Moment},
    failure::Failure,
    function::PROJECTOR,
    log::Log,
};

/// The oldest set that is used. Its age is measured in real time or by the log's clock, whichever shows more: a manual
/// clock stands still, and when it is moved, the times that are derived from this age pass as well.
pub const SET_AGE_MAX: Duration = Duration::from_secs(5);

/// The time after which no process uses an older set: a batch of the feed begins with a set of [`SET_AGE_MAX`] at
/// most, uses it to its end, and is ended by the time-out of the function. A rebuild scans the log this long after
/// the feed was told to write the candidate, and deletes a table this long after it lost its role.
pub const HAND_OVER: Duration = SET_AGE_MAX.saturating_add(SET_USE_MAX);

/// The longest time that a process uses a set after it took it.
pub const SET_USE_MAX: Duration = PROJECTOR.time_out;

/// The generations of all projections at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set([Of; Name::ALL.len()]);

/// The generations of one projection, and its unfinished rebuild.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Of {
    roles: Roles,
    progress: Option<Progress>,
}

/// The progress of an unfinished rebuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub stage: Stage,
    /// Finished segments of both phases.
    pub done: u64,
    /// All segments, once they are known.
    pub of: u64,
    /// The time of the projection's last event.
    pub at: Time,
}

/// The cached set. Clones share it.
#[derive(Clone, Debug)]
pub struct Generations {
    log: Log,
    age_max: Duration,
    real: Clock,
    cached: Arc<Mutex<Cached>>,
    /// The number of readings that ended, failed ones included.
    readings: Arc<AtomicU64>,
}

/// The time of a reading.
#[derive(Clone, Copy, Debug)]
struct Read {
    real: Moment,
    by_log: Moment,
}

#[derive(Debug, Default)]
struct Cached {
    set: Option<(Arc<Set>, Read)>,
    /// The failure of the last reading.
    failed: Option<String>,
}

impl Set {
    /// Reads the set, strongly consistent: half a read unit or more for each projection.
    ///
    /// # Errors
    /// The log cannot be read, or holds an event of a projection that this code does not know.
    pub async fn read(log: &Log) -> Result<Self, Failure> {
        let read = try_join_all(Name::ALL.map(|name| read(log, name))).await?;
        let mut set = Self::default();
        set.0.iter_mut().zip(read).for_each(|(of, read)| *of = read);
        Ok(set)
    }

    /// The generations of a projection.
    #[must_use]
    pub fn roles(&self, name: Name) -> Roles {
        self.0[name as usize].roles
    }

    /// The unfinished rebuild of a projection.
    #[must_use]
    pub fn progress(&self, name: Name) -> Option<Progress> {
        self.0[name as usize].progress
    }
}

/// Reads the generations of one projection, strongly consistent.
///
/// # Errors
/// As [`Set::read`].
pub async fn roles(log: &Log, name: Name) -> Result<Roles, Failure> {
    Ok(read(log, name).await?.roles)
}

async fn read(log: &Log, name: Name) -> Result<Of, Failure> {
    let Some(commit) = log.latest(name.stream()).await? else { return Ok(Of::default()) };
    let facts = commit.facts::<Event>();
    let facts = facts
        .map_err(|cause| Failure::broken(format!("read the generations of {}", name.as_str()), cause))?;
    let of = |state: &State| Of { roles: state.roles(), progress: progress(state, commit.at) };
    Ok(facts.last().map(|fact| of(fact.event.state())).unwrap_or_default())
}

fn progress(state: &State, at: Time) -> Option<Progress> {
    let rebuild = state.building()?;
    let (scanned, verified) = (&rebuild.scanned, &rebuild.verified);
    let done = u64::from(scanned.finished()) + u64::from(verified.finished());
    Some(Progress { stage: rebuild.stage, done, of: u64::from(scanned.of()) + u64::from(verified.of()), at })
}

impl Generations {
    /// A set of a deployment's log that is read again when it is older than `age_max`.
    #[must_use]
    pub fn new(log: Log, age_max: Duration) -> Self {
        Self { log, age_max, real: Clock::system(), cached: Arc::default(), readings: Arc::default() }
    }

    /// Returns the set, read at most `age_max` ago. Requests that find it too old wait for one reading and share its
    /// failure: an older set is never used.
    ///
    /// # Errors
    /// As [`Set::read`].
    pub async fn current(&self) -> Result<Arc<Set>, Failure> {
        let begun = self.readings.load(Ordering::SeqCst);
        let mut cached = self.cached.lock().await;
        match &cached.set {
            Some((set, read)) if self.age(*read) < self.age_max => Ok(set.clone()),
            _ => self.read(&mut cached, begun).await,
        }
    }

    /// Returns a set that was read after `seen`, which named a table that does not exist.
    ///
    /// # Errors
    /// As [`Set::read`].
    pub async fn reload(&self, seen: &Arc<Set>) -> Result<Arc<Set>, Failure> {
        let begun = self.readings.load(Ordering::SeqCst);
        let mut cached = self.cached.lock().await;
        match &cached.set {
            Some((set, _)) if !Arc::ptr_eq(set, seen) => Ok(set.clone()),
            _ => self.read(&mut cached, begun).await,
        }
    }

    /// Reads the set, unless a reading that ended after the caller began to wait has failed.
    async fn read(&self, cached: &mut Cached, begun: u64) -> Result<Arc<Set>, Failure> {
        if let Some(cause) = &cached.failed
            && self.readings.load(Ordering::SeqCst) > begun
        {
            return Err(Failure::passing("read the set of generations", cause.clone()));
        }
        let at = self.now(); // before the reading: it may be as old as that when it arrives
        let read = Set::read(&self.log).await;
        self.readings.fetch_add(1, Ordering::SeqCst);
        cached.failed = read.as_ref().err().filter(|failure| failure.is_passing()).map(Failure::chain);
        let set = Arc::new(read?);
        cached.set = Some((set.clone(), at));
        Ok(set)
    }

    fn now(&self) -> Read {
        Read { real: self.real.moment(), by_log: self.log.clock.moment() }
    }

    fn age(&self, read: Read) -> Duration {
        let now = self.now();
        now.real.since(read.real).max(now.by_log.since(read.by_log))
    }
}
