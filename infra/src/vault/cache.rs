//! Opened keys kept in memory for a minute, up to a fixed number.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Subject, SubjectKey};
use crate::clock::Moment;

/// How long a key may be used after it was read. This bounds how long an erased subject stays readable.
pub(super) const AGE_MAX: Duration = Duration::from_secs(60);

/// The most keys kept in memory, at about 2 KB each: 20 MB.
pub(super) const KEYS_MAX: usize = 10_000;

/// How often expired keys are dropped, so that unused ones do not stay in memory.
const SWEEP: Duration = Duration::from_secs(5);

/// A key and the time at which it was read from the vault. For a guest's key it is the time of its account's
/// key, if that is older.
#[derive(Clone)]
pub(super) struct CachedKey {
    pub(super) key: SubjectKey,
    pub(super) read_at: Moment,
}

impl CachedKey {
    fn is_fresh(&self, now: Moment) -> bool {
        now.since(self.read_at) < AGE_MAX
    }
}

/// The keys read lately. The absence of a key is not cached, because another process may create the key at
/// any moment.
pub(super) struct Cache(Mutex<Entries>);

struct Entries {
    keys: HashMap<Subject, CachedKey>,
    swept_at: Moment,
}

impl Cache {
    pub(super) fn new(now: Moment) -> Self {
        Self(Mutex::new(Entries { keys: HashMap::new(), swept_at: now }))
    }

    pub(super) fn get(&self, subject: Subject, now: Moment) -> Option<CachedKey> {
        let mut entries = self.entries();
        entries.sweep_if_due(now);
        entries.keys.get(&subject).filter(|cached| cached.is_fresh(now)).cloned()
    }

    pub(super) fn put(&self, subject: Subject, key: CachedKey, now: Moment) {
        let mut entries = self.entries();
        entries.sweep_if_due(now);
        if entries.keys.len() >= KEYS_MAX && !entries.keys.contains_key(&subject) {
            entries.make_room(now);
        }
        entries.keys.insert(subject, key);
    }

    /// Drops a subject's key and, for an account, the keys of its guests.
    pub(super) fn forget(&self, subject: Subject) {
        self.entries().keys.retain(|cached, _| *cached != subject && cached.parent() != Some(subject));
    }

    /// Ignores poisoning: the map is consistent after every step, so a panicking thread left it usable.
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn sweep_if_due(&mut self, now: Moment) {
        if now.since(self.swept_at) >= SWEEP {
            self.sweep(now);
        }
    }

    fn sweep(&mut self, now: Moment) {
        self.keys.retain(|_, cached| cached.is_fresh(now));
        self.swept_at = now;
    }

    /// Drops the expired keys; if there are none, the older half, so that a full cache is not searched on
    /// every put.
    fn make_room(&mut self, now: Moment) {
        self.sweep(now);
        if self.keys.len() < KEYS_MAX {
            return;
        }
        let mut ages: Vec<Duration> = self.keys.values().map(|cached| now.since(cached.read_at)).collect();
        let (_, median, _) = ages.select_nth_unstable(KEYS_MAX / 2);
        let median = *median;
        self.keys.retain(|_, cached| now.since(cached.read_at) < median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, crypto::Secret};
    use schema::{Time, UserId};
    use uuid::Uuid;

    fn account(n: usize) -> Subject {
        Subject::Account(UserId(Uuid::from_u128(n as u128)))
    }

    const AGE_MAX_MS: i64 = AGE_MAX.as_millis() as i64;
    const SWEEP_MS: i64 = SWEEP.as_millis() as i64;

    fn at(ms: i64) -> Moment {
        let clock = Clock::fixed(Time::from_millis(1_800_000_000_000));
        clock.advance_millis(ms);
        clock.moment()
    }

    fn cached(ms: i64) -> CachedKey {
        CachedKey { key: SubjectKey::new(account(0), &Secret::generate()), read_at: at(ms) }
    }

    #[test]
    fn a_key_is_cached_for_a_minute() {
        let cache = Cache::new(at(0));
        cache.put(account(1), cached(0), at(0));
        assert!(cache.get(account(1), at(AGE_MAX_MS - 1)).is_some());
        assert!(cache.get(account(1), at(AGE_MAX_MS)).is_none());
        cache.get(account(2), at(AGE_MAX_MS + SWEEP_MS));
        assert!(cache.entries().keys.is_empty(), "an expired key is dropped by the next sweep");
    }

    #[test]
    fn setting_the_clock_back_makes_no_key_younger() {
        let clock = Clock::fixed(Time::from_millis(1_800_000_000_000));
        let cache = Cache::new(clock.moment());
        cache.put(account(1), CachedKey { read_at: clock.moment(), ..cached(0) }, clock.moment());
        clock.set(clock.now().plus_millis(-3_600_000));
        clock.advance_millis(AGE_MAX_MS - 1);
        assert!(cache.get(account(1), clock.moment()).is_some());
        clock.advance_millis(1);
        assert!(cache.get(account(1), clock.moment()).is_none());
    }

    #[test]
    fn a_full_cache_drops_the_older_keys() {
        let cache = Cache::new(at(0));
        let key = cached(0);
        for n in 0..KEYS_MAX * 2 + 7 {
            let now = at((n / 1_000) as i64); // a thousand keys a millisecond
            cache.put(account(n), CachedKey { read_at: now, ..key.clone() }, now);
            assert!(cache.entries().keys.len() <= KEYS_MAX);
            assert!(cache.get(account(n), now).is_some());
        }
    }

    #[test]
    fn a_full_cache_drops_expired_keys_first() {
        let cache = Cache::new(at(0));
        let key = cached(0);
        for n in 0..KEYS_MAX {
            let read_at = if n % 10 == 0 { at(0) } else { at(AGE_MAX_MS - 1) };
            cache.put(account(n), CachedKey { read_at, ..key.clone() }, at(AGE_MAX_MS - 1));
        }
        cache.put(account(KEYS_MAX), cached(AGE_MAX_MS), at(AGE_MAX_MS));
        assert_eq!(cache.entries().keys.len(), KEYS_MAX * 9 / 10 + 1, "every tenth had expired");
    }
}
