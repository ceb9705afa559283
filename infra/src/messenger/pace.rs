//! A bound on how fast one process sends.

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

/// Turns to send, evenly spaced, given in the order in which they are asked for. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    apart: Duration,
    next: Arc<Mutex<Option<Instant>>>,
    taken: Arc<AtomicU64>,
}

impl Pace {
    /// So many turns in a second.
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

    /// How many turns were taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

/// When the turn is that is asked for now: at once, or when the next one comes.
fn turn(next: Option<Instant>, now: Instant) -> Instant {
    next.map_or(now, |next| next.max(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_evenly_spaced_however_many_wait_and_who_comes_late_does_not() {
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
