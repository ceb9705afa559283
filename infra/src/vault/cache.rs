//! Opened keys at rest in memory: for a minute, and not too many.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use schema::Time;

use super::{Subject, SubjectKey};

/// How long a key may be used after it was read: the bound on how long an erased subject stays readable.
pub(super) const AGE_MAX_MS: i64 = 60_000;

/// How many keys are kept: about 2 KB each, so 20 MB.
pub(super) const KEYS_MAX: usize = 10_000;

/// How often expired keys are dropped, so that they do not linger for want of use.
const SWEEP_MS: i64 = 5_000;

/// A key and the time its item, or an item it hangs on, was read; the older of the two.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) key: SubjectKey,
    pub(super) read_at: Time,
}

impl Known {
    /// A clock that was set back makes a key from the future: not to be trusted either.
    fn is_fresh(&self, now: Time) -> bool {
        (0..AGE_MAX_MS).contains(&(now.millis() - self.read_at.millis()))
    }
}

/// Keys that were read lately. What is missing is never remembered: it may come to be any moment.
pub(super) struct Cache(Mutex<Keys>);

struct Keys {
    known: HashMap<Subject, Known>,
    swept_at: Time,
}

impl Cache {
    pub(super) fn new(now: Time) -> Self {
        Self(Mutex::new(Keys { known: HashMap::new(), swept_at: now }))
    }

    pub(super) fn get(&self, subject: Subject, now: Time) -> Option<Known> {
        let mut keys = self.keys();
        keys.sweep_if_due(now);
        keys.known.get(&subject).filter(|known| known.is_fresh(now)).cloned()
    }

    pub(super) fn put(&self, subject: Subject, known: Known, now: Time) {
        let mut keys = self.keys();
        keys.sweep_if_due(now);
        if keys.known.len() >= KEYS_MAX && !keys.known.contains_key(&subject) {
            keys.make_room(now);
        }
        keys.known.insert(subject, known);
    }

    /// Drops a key, and with an account's those of its guests.
    pub(super) fn forget(&self, subject: Subject) {
        self.keys().known.retain(|known, _| *known != subject && known.parent() != Some(subject));
    }

    /// A map of keys is whole after every step, so a thread that panicked over it left no harm.
    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys {
    fn sweep_if_due(&mut self, now: Time) {
        if !(0..SWEEP_MS).contains(&(now.millis() - self.swept_at.millis())) {
            self.sweep(now);
        }
    }

    fn sweep(&mut self, now: Time) {
        self.known.retain(|_, known| known.is_fresh(now));
        self.swept_at = now;
    }

    /// Drops what has expired; when nothing has, the older half, so that a full cache is not searched on every put.
    fn make_room(&mut self, now: Time) {
        self.sweep(now);
        if self.known.len() < KEYS_MAX {
            return;
        }
        let mut ages: Vec<Time> = self.known.values().map(|known| known.read_at).collect();
        let (_, median, _) = ages.select_nth_unstable(KEYS_MAX / 2);
        let median = *median;
        self.known.retain(|_, known| known.read_at > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::cipher::Secret;
    use schema::UserId;
    use uuid::Uuid;

    fn account(n: usize) -> Subject {
        Subject::Account(UserId(Uuid::from_u128(n as u128)))
    }

    fn at(ms: i64) -> Time {
        Time::from_millis(1_800_000_000_000 + ms)
    }

    fn known(ms: i64) -> Known {
        Known { key: SubjectKey::new(account(0), &Secret::generate()), read_at: at(ms) }
    }

    #[test]
    fn a_key_is_known_for_a_minute() {
        let cache = Cache::new(at(0));
        cache.put(account(1), known(0), at(0));
        assert!(cache.get(account(1), at(AGE_MAX_MS - 1)).is_some());
        assert!(cache.get(account(1), at(AGE_MAX_MS)).is_none());
        cache.get(account(2), at(AGE_MAX_MS + SWEEP_MS));
        assert!(cache.keys().known.is_empty(), "and does not linger");
    }

    #[test]
    fn a_key_from_the_future_is_not_known() {
        let cache = Cache::new(at(0));
        cache.put(account(1), known(10), at(10));
        assert!(cache.get(account(1), at(9)).is_none());
    }

    #[test]
    fn there_are_never_too_many_and_the_newest_stay() {
        let cache = Cache::new(at(0));
        let key = known(0);
        for n in 0..KEYS_MAX * 2 + 7 {
            let now = at((n / 1_000) as i64); // a thousand keys a millisecond
            cache.put(account(n), Known { read_at: now, ..key.clone() }, now);
            assert!(cache.keys().known.len() <= KEYS_MAX);
            assert!(cache.get(account(n), now).is_some());
        }
    }

    #[test]
    fn expired_keys_make_room_first() {
        let cache = Cache::new(at(0));
        let key = known(0);
        for n in 0..KEYS_MAX {
            let read_at = if n % 10 == 0 { at(0) } else { at(AGE_MAX_MS - 1) };
            cache.put(account(n), Known { read_at, ..key.clone() }, at(AGE_MAX_MS - 1));
        }
        cache.put(account(KEYS_MAX), known(AGE_MAX_MS), at(AGE_MAX_MS));
        assert_eq!(cache.keys().known.len(), KEYS_MAX * 9 / 10 + 1, "every tenth had expired");
    }
}
