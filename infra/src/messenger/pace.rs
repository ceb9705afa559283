//! A bound on the rate at which one process sends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

/// Hands out evenly spaced turns to send, in the order in which they are asked for. Clones share the
/// sequence.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    apart: Duration,
    next: Arc<Mutex<Option<Instant>>>,
    taken: Arc<AtomicU64>,
}

impl Pace {
    /// Allows `turns` turns in a second.
    pub(super) fn per_second(turns: u32) -> Self {
        Self { apart: Duration::from_secs(1) / turns.max(1), next: Arc::default(), taken: Arc::default() }
    }

    /// Waits for the next turn.
    pub(super) async fn turn(&self) {
        let mut next = self.next.lock().await;
        let now = Instant::now();
        let turn = turn(*next, now);
        if turn > now {
            sleep_until(turn).await;
        }
        *next = Some(turn + self.apart);
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

/// Returns the time of the next turn, which is not before `now`.
fn turn(next: Option<Instant>, now: Instant) -> Instant {
    next.map_or(now, |next| next.max(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_evenly_spaced_under_load_and_immediate_after_a_pause() {
        let (apart, begun) = (Pace::per_second(10).apart, Instant::now());
        let at = |millis| begun + Duration::from_millis(millis);
        let mut next = None;
        for number in 0..30 {
            let turn = turn(next, begun); // all of them come at once
            assert_eq!(turn, at(number * 100));
            next = Some(turn + apart);
        }
        assert_eq!(turn(next, at(2_999)), at(3_000));
        assert_eq!(turn(next, at(5_000)), at(5_000));
    }
}
