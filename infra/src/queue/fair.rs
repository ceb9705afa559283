//! Spaces the queue messages of one account, so that no account fills the queue or takes all of the sending
//! rate.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use schema::{Time, UserId};

/// One account's queue messages come due at this part of the rate at which one process sends.
const RATE_DIVISOR: i64 = 4;

/// Of an account's messages, as many come due at once as one process sends in this time. The rest are spaced.
const BURST_SENDS_MS: i64 = 2_000;

/// The longest time for which a message is held back. A message that would wait longer is not queued; the tick
/// finds its work again.
pub const HELD_BACK_MAX_MS: i64 = 60_000;

/// The most accounts that are remembered. Beyond it, accounts without messages to space are dropped first, then
/// all.
const ACCOUNTS_MAX: usize = 10_000;

/// Decides when the next queue message of each account comes due, by the generic cell rate algorithm (GCRA).
/// Clones share the state; each process has its own.
#[derive(Clone, Debug)]
pub struct FairShare {
    apart_ms: i64,
    /// Per account, the time at which its next message would come due at the steady rate.
    next_at: Arc<Mutex<HashMap<UserId, Time>>>,
}

impl FairShare {
    /// `sends_per_second` is the rate at which one process sends.
    #[must_use]
    pub fn new(sends_per_second: u32) -> Self {
        let apart_ms = RATE_DIVISOR * 1_000 / i64::from(sends_per_second.max(1));
        Self { apart_ms: apart_ms.max(1), next_at: Arc::default() }
    }

    /// Returns the same spacing with no memory of earlier messages.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self { apart_ms: self.apart_ms, next_at: Arc::default() }
    }

    /// Returns how many messages of one account come due at once.
    #[must_use]
    pub fn burst(&self) -> i64 {
        self.tolerance_ms() / self.apart_ms
    }

    /// Returns for how long to delay a queue message of this account. `None`: a minute's worth of its
    /// messages is waiting, and this one must not be queued.
    #[must_use]
    pub fn delay(&self, account: UserId, now: Time) -> Option<Duration> {
        let mut next_at = self.next_at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = next_at.get(&account).map_or(now, |at| now.max(*at));
        let delay_ms = (next.millis() - now.millis() + self.apart_ms - self.tolerance_ms()).max(0);
        if delay_ms > HELD_BACK_MAX_MS {
            return None;
        }
        if next_at.len() >= ACCOUNTS_MAX && !next_at.contains_key(&account) {
            make_room(&mut next_at, now);
        }
        next_at.insert(account, next.plus_millis(self.apart_ms));
        u64::try_from(delay_ms).ok().map(Duration::from_millis)
    }

    fn tolerance_ms(&self) -> i64 {
        RATE_DIVISOR * BURST_SENDS_MS
    }
}

fn make_room(next_at: &mut HashMap<UserId, Time>, now: Time) {
    next_at.retain(|_, at| *at > now);
    if next_at.len() >= ACCOUNTS_MAX {
        next_at.clear();
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const ANA: UserId = UserId(Uuid::from_u128(1));
    const BEN: UserId = UserId(Uuid::from_u128(2));

    fn at(ms: i64) -> Time {
        Time::from_millis(1_800_000_000_000 + ms)
    }

    fn delays(fair: &FairShare, account: UserId, now: Time, count: usize) -> Vec<Option<u128>> {
        (0..count).map(|_| fair.delay(account, now).map(|delay| delay.as_millis())).collect()
    }

    #[test]
    fn a_burst_comes_due_at_once_and_the_rest_at_a_quarter_of_the_sending_rate() {
        let fair = FairShare::new(10);
        let delays = delays(&fair, ANA, at(0), 23);
        assert_eq!(fair.burst(), 20);
        assert_eq!(delays[..20], [Some(0); 20]);
        assert_eq!(delays[20..], [Some(400), Some(800), Some(1_200)]);
        assert_eq!(fair.delay(ANA, at(1_000)), Some(Duration::from_millis(600)), "time that passed counts");
        assert_eq!(fair.delay(ANA, at(60_000)), Some(Duration::ZERO));
    }

    #[test]
    fn a_minutes_worth_is_queued_and_no_more() {
        let fair = FairShare::new(10);
        let delays = delays(&fair, ANA, at(0), 1_000);
        assert_eq!(delays.iter().flatten().count(), 20 + 150);
        assert_eq!(delays.iter().flatten().max(), Some(&60_000));
        assert_eq!(fair.delay(ANA, at(399)), None);
        assert_eq!(fair.delay(ANA, at(400)), Some(Duration::from_millis(60_000)), "one came due");
    }

    #[test]
    fn accounts_do_not_delay_each_other() {
        let fair = FairShare::new(10);
        let _flood = delays(&fair, ANA, at(0), 1_000);
        assert_eq!(fair.delay(BEN, at(0)), Some(Duration::ZERO));
        assert_eq!(fair.anew().delay(ANA, at(0)), Some(Duration::ZERO));
        assert_eq!(fair.clone().delay(ANA, at(0)), None);
    }

    #[test]
    fn a_slow_sender_spaces_more_and_a_fast_one_less() {
        for (sends_per_second, burst, apart_ms) in [(1, 2, 4_000), (10, 20, 400), (1_000, 2_000, 4)] {
            let fair = FairShare::new(sends_per_second);
            let delays = delays(&fair, ANA, at(0), burst + 1);
            assert_eq!(delays[burst - 1..], [Some(0), Some(apart_ms)], "{sends_per_second}");
        }
    }

    #[test]
    fn the_memory_of_accounts_is_bounded() {
        let fair = FairShare::new(10);
        for number in 0..ACCOUNTS_MAX * 2 + 7 {
            let _delay = fair.delay(UserId(Uuid::from_u128(number as u128)), at(0));
        }
        assert!(fair.next_at.lock().unwrap().len() <= ACCOUNTS_MAX);
    }
}
