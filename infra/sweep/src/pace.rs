//! How fast and how long a sweep works.

use std::time::Duration;

use infra::{Clock, clock::Moment};
use projections::rebuild::Budget;
use tokio::sync::Mutex;

/// Pages that are read at once.
const AT_ONCE_MAX: u32 = 8;

/// The read units of a page, about: a page costs as many at once. A small bound on units per second therefore means
/// fewer pages at once.
const PAGE_UNITS: u32 = 250;

/// Spreads the read units of a sweep over real time.
pub struct Pace {
    budget: Mutex<Budget>,
    at_once: u32,
    /// The time after which no further page is begun; `None`: to the end.
    until: Option<Duration>,
    /// Real time: a table is not spared by moving a manual clock.
    clock: Clock,
    begun: Moment,
}

impl Pace {
    #[must_use]
    pub fn new(read_units_per_second: Option<u32>, until: Option<Duration>) -> Self {
        let at_once =
            read_units_per_second.map_or(AT_ONCE_MAX, |units| (units / PAGE_UNITS).clamp(1, AT_ONCE_MAX));
        let clock = Clock::system();
        let begun = clock.moment();
        Self { budget: Mutex::new(Budget::share(read_units_per_second, 1)), at_once, until, clock, begun }
    }

    /// One page at a time, and no page after the first.
    #[must_use]
    pub fn one_page() -> Self {
        Self { at_once: 1, ..Self::new(None, Some(Duration::ZERO)) }
    }

    pub(crate) fn at_once(&self) -> u32 {
        self.at_once
    }

    /// Waits until another page may be read. `false` if that is after the end.
    pub(crate) async fn turn(&self) -> bool {
        let wait = self.wait().await;
        if self.until.is_some_and(|until| self.passed() + wait >= until) {
            return false;
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        true
    }

    /// The time until another page may be read.
    pub async fn wait(&self) -> Duration {
        self.budget.lock().await.take(0.0, self.passed())
    }

    pub(crate) async fn used(&self, read_units: f64) {
        self.budget.lock().await.correct(read_units);
    }

    fn passed(&self) -> Duration {
        self.clock.moment().since(self.begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_bound_means_fewer_pages_at_once() {
        let at_once = |units| Pace::new(units, None).at_once();
        assert_eq!([Some(1), Some(200), Some(1_000), Some(100_000), None].map(at_once), [1, 1, 4, 8, 8]);
    }
}
