//! The one module that asks the machine for the time and for randomness.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use schema::Time;
use uuid::Uuid;

/// Tells the time and makes ids. Clones share one offset: moving one moves all.
#[derive(Clone, Debug)]
pub struct Clock {
    base: Base,
    offset_ms: Arc<AtomicI64>,
    /// The sum of all moves forward.
    moved_ms: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug)]
enum Base {
    Machine { started: Instant },
    Fixed(Time),
}

impl Clock {
    /// Returns the machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::of(Base::Machine { started: Instant::now() })
    }

    /// Returns a clock that stands still until it is moved.
    #[must_use]
    pub fn fixed(at: Time) -> Self {
        Self::of(Base::Fixed(at))
    }

    fn of(base: Base) -> Self {
        Self { base, offset_ms: Arc::default(), moved_ms: Arc::default() }
    }

    #[must_use]
    pub fn now(&self) -> Time {
        self.base_now().plus_millis(self.offset_ms.load(Ordering::SeqCst))
    }

    /// Returns the moment that an interval is measured from.
    #[must_use]
    pub fn moment(&self) -> Moment {
        let moved = Duration::from_millis(self.moved_ms.load(Ordering::SeqCst));
        let steady = match self.base {
            Base::Machine { started } => started.elapsed() + moved,
            Base::Fixed(_) => moved,
        };
        Moment { wall: self.now(), steady }
    }

    /// Moves this clock and all its clones forward.
    pub fn advance_millis(&self, ms: i64) {
        self.moved_ms.fetch_add(u64::try_from(ms).unwrap_or(0), Ordering::SeqCst);
        self.offset_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sets this clock and all its clones. A running clock runs on from there.
    pub fn set(&self, to: Time) {
        let forward_ms = to.millis() - self.now().millis();
        self.moved_ms.fetch_add(u64::try_from(forward_ms).unwrap_or(0), Ordering::SeqCst);
        self.offset_ms.store(to.millis() - self.base_now().millis(), Ordering::SeqCst);
    }

    /// Waits. A fixed clock does not wait, but is moved forward instead.
    pub async fn sleep(&self, wait: Duration) {
        match self.base {
            Base::Machine { .. } => tokio::time::sleep(wait).await,
            Base::Fixed(_) => {
                let ms = wait.as_micros().div_ceil(1_000);
                self.advance_millis(i64::try_from(ms).unwrap_or(i64::MAX));
            }
        }
    }

    /// Makes a UUIDv7 of the time `at`.
    #[must_use]
    pub fn id(&self, at: Time) -> Uuid {
        let millis = u64::try_from(at.millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random()).into_uuid()
    }

    fn base_now(&self) -> Time {
        match self.base {
            #[expect(clippy::disallowed_methods, reason = "this module is where the time comes from")]
            Base::Machine { .. } => Time::from_millis(chrono::Utc::now().timestamp_millis()),
            Base::Fixed(at) => at,
        }
    }
}

/// A point in time that intervals are measured from, within one process.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    wall: Time,
    /// Time by the monotonic clock.
    steady: Duration,
}

impl Moment {
    /// Returns the interval since `earlier`, by the wall clock or the monotonic clock, whichever shows more.
    /// A wall clock that is set back therefore stretches no interval, and time during which the machine slept
    /// counts.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let by_wall = u64::try_from(self.wall.millis() - earlier.wall.millis()).unwrap_or(0);
        self.steady.saturating_sub(earlier.steady).max(Duration::from_millis(by_wall))
    }
}

/// Returns random bytes from the machine's cryptographic source.
///
/// # Panics
/// The machine has no source of randomness; no key or id could be trusted then.
#[must_use]
#[expect(clippy::expect_used, reason = "without randomness there is nothing safe left to do")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the machine's random source answers");
    bytes
}

/// Waits for a random part of `most`, so that writers or readers that collided do not collide again.
pub(crate) async fn pause(most: Duration) {
    let most_us = u64::try_from(most.as_micros()).unwrap_or(u64::MAX).max(1);
    tokio::time::sleep(Duration::from_micros(u64::from_be_bytes(random()) % most_us)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn setting_the_clock_back_does_not_stretch_an_interval() {
        let evening = Time::from_millis(1_800_000_000_000);
        let clock = Clock::fixed(evening);
        let begun = clock.moment();
        clock.advance_millis(59_999);
        clock.set(evening.plus_millis(-3_600_000));
        assert_eq!(clock.moment().since(begun), MINUTE - Duration::from_millis(1));
        clock.advance_millis(1);
        assert_eq!(clock.moment().since(begun), MINUTE);
    }

    #[test]
    fn moving_the_clock_forward_ends_intervals() {
        let clock = Clock::system();
        let begun = clock.moment();
        clock.set(clock.now().plus_minutes(1));
        assert!(clock.moment().since(begun) >= MINUTE);
    }
}
