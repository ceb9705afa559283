//! The bound on the units that a worker uses in a second.

use std::time::Duration;

/// Spreads read or write units evenly over time. Times are measured from any fixed moment.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// `None`: without a bound.
    units_per_second: Option<f64>,
    /// The time from which the next units may be used.
    next: Duration,
}

impl Budget {
    /// The share of one of `workers` workers.
    #[must_use]
    pub fn share(units_per_second: Option<u32>, workers: u32) -> Self {
        let share = units_per_second.map(|units| f64::from(units.max(1)) / f64::from(workers.max(1)));
        Self { units_per_second: share, next: Duration::ZERO }
    }

    /// Takes units. Returns how long to wait before they are used.
    pub fn take(&mut self, units: f64, now: Duration) -> Duration {
        let turn = self.next.max(now);
        self.next = turn + self.time_of(units);
        turn - now
    }

    /// Corrects what was taken, once it is known how many units more or less were used.
    pub fn correct(&mut self, more: f64) {
        if more < 0.0 {
            self.next = self.next.saturating_sub(self.time_of(-more));
        } else {
            self.next += self.time_of(more);
        }
    }

    /// The time until further units may be used.
    pub(super) fn pending(&self, now: Duration) -> Duration {
        self.next.saturating_sub(now)
    }

    /// How many rows of `units` each may be written at once, 1 to `most`, so that they are done within `time`.
    pub(super) fn at_once(&self, most: usize, units: f64, time: Duration) -> usize {
        let within = |rate: f64| (rate * time.as_secs_f64() / units) as usize;
        self.units_per_second.map_or(most, |rate| within(rate).clamp(1, most))
    }

    fn time_of(&self, units: f64) -> Duration {
        self.units_per_second.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(units.max(0.0) / rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_an_upper_bound_and_is_used() {
        let mut budget = Budget::share(Some(100), 4);
        let (mut now, mut used) = (Duration::ZERO, 0.0);
        while now < Duration::from_secs(60) {
            now += budget.take(3.0, now);
            used += 4.0;
            budget.correct(1.0);
            let allowed = now.as_secs_f64() * 25.0 + 4.0;
            assert!(used <= allowed + 1e-6, "{used} units after {now:?}");
        }
        assert!(used >= 0.95 * 60.0 * 25.0, "{used}");
    }

    #[test]
    fn time_in_which_nothing_was_written_is_not_made_up_for() {
        let mut budget = Budget::share(Some(10), 1);
        assert_eq!(budget.take(10.0, Duration::from_secs(100)), Duration::ZERO);
        assert_eq!(budget.take(10.0, Duration::from_secs(100)), Duration::from_secs(1));
    }

    #[test]
    fn a_small_budget_has_few_rows_at_once() {
        let at_once = |rate| Budget::share(Some(rate), 8).at_once(16, 4.0, Duration::from_secs(2));
        assert_eq!([1, 16, 80, 256, 10_000].map(at_once), [1, 1, 5, 16, 16]);
    }

    #[test]
    fn without_a_bound_nothing_waits() {
        let mut budget = Budget::share(None, 1);
        budget.take(1e9, Duration::ZERO);
        assert_eq!(budget.take(1.0, Duration::ZERO), Duration::ZERO);
        assert_eq!(budget.pending(Duration::ZERO), Duration::ZERO);
        assert_eq!(budget.at_once(16, 4.0, Duration::ZERO), 16);
    }
}
