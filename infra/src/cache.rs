//! Answers that are the same for all readers, kept for a second: many readers of one page cost one read.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{clock::Moment, failure::Failure};

/// How long an answer is given after its reading began.
const AGE_MAX: Duration = Duration::from_secs(1);

/// The most answers in memory, those that are being read included. A list as guests see it has less than 1 KB.
const ANSWERS_MAX: usize = 1_000;

/// The body of an answer, and the number of its subject's last event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<B> {
    pub seq: u64,
    pub body: B,
}

/// Answers by the id of their subject. Clones share them.
#[derive(Debug)]
pub struct Cache<B>(Arc<Mutex<Readings<B>>>);

type Readings<B> = HashMap<Uuid, Arc<Reading<B>>>;

/// A reading that is under way or done.
#[derive(Debug)]
struct Reading<B> {
    begun: Moment,
    answer: OnceCell<Result<Answer<B>, Failure>>,
}

impl<B: Clone> Cache<B> {
    /// Returns the answer of a reading that began less than [`AGE_MAX`] before `now`, or reads. Requests that come while
    /// a reading is under way wait for it and share its failure. A failure is not kept after that.
    ///
    /// # Errors
    /// As `read`.
    pub async fn answer<F>(
        &self,
        subject: Uuid,
        now: Moment,
        read: impl FnOnce() -> F,
    ) -> Result<Answer<B>, Failure>
    where
        F: Future<Output = Result<Answer<B>, Failure>>,
    {
        let Some(reading) = self.reading(subject, now) else { return read().await };
        // If the request that reads is given up, the next one that waits reads.
        match reading.answer.get_or_init(read).await {
            Ok(answer) => Ok(answer.clone()),
            Err(failure) => {
                self.drop_reading(subject, &reading);
                Err(failure.again())
            }
        }
    }

    /// The reading of a subject that is young enough, or else a new one. `None` if there is no room for it.
    fn reading(&self, subject: Uuid, now: Moment) -> Option<Arc<Reading<B>>> {
        let is_young = |reading: &Reading<B>| now.since(reading.begun) < AGE_MAX;
        let mut readings = self.readings();
        if let Some(reading) = readings.get(&subject).filter(|reading| is_young(reading)) {
            return Some(reading.clone());
        }
        if readings.len() >= ANSWERS_MAX {
            readings.retain(|_, reading| is_young(reading));
        }
        let has_room = readings.len() < ANSWERS_MAX || readings.contains_key(&subject);
        has_room.then(|| {
            let reading = Arc::new(Reading { begun: now, answer: OnceCell::new() });
            readings.insert(subject, reading.clone());
            reading
        })
    }

    fn drop_reading(&self, subject: Uuid, reading: &Arc<Reading<B>>) {
        let mut readings = self.readings();
        if readings.get(&subject).is_some_and(|kept| Arc::ptr_eq(kept, reading)) {
            readings.remove(&subject);
        }
    }

    /// Ignores poisoning: the map is consistent after every step.
    fn readings(&self) -> MutexGuard<'_, Readings<B>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> Clone for Cache<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B> Default for Cache<B> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures::{FutureExt as _, future::join_all};
    use schema::{Problem, Time};
    use tokio::sync::Notify;

    use super::*;
    use crate::clock::Clock;

    fn clock() -> Clock {
        Clock::fixed(Time::from_millis(1_800_000_000_000))
    }

    fn subject(number: usize) -> Uuid {
        Uuid::from_u128(number as u128)
    }

    fn answer(seq: u64) -> Answer<()> {
        Answer { seq, body: () }
    }

    #[tokio::test]
    async fn an_answer_is_given_for_less_than_a_second_after_its_reading_began() {
        let (cache, clock, readings) = (Cache::default(), clock(), Cell::new(0));
        let read = async || {
            let read = async || {
                readings.set(readings.get() + 1);
                clock.advance_millis(300); // the reading takes this long
                Ok(answer(readings.get()))
            };
            cache.answer(subject(1), clock.moment(), read).await.unwrap().seq
        };
        let first = read().await;
        clock.advance_millis(699);
        assert_eq!((read().await, readings.get()), (first, 1));
        clock.advance_millis(1);
        assert_ne!(read().await, first);
        clock.set(clock.now().plus_millis(-3_600_000));
        clock.advance_millis(700);
        read().await;
        assert_eq!(readings.get(), 3, "a clock that is set back keeps no answer for longer");
    }

    #[tokio::test]
    async fn requests_that_come_together_share_one_reading_and_its_failure() {
        for fails in [false, true] {
            let (cache, now, readings) = (Cache::default(), clock().moment(), Cell::new(0));
            let ask = || {
                cache.answer(subject(1), now, || async {
                    readings.set(readings.get() + 1);
                    tokio::task::yield_now().await;
                    if fails { Err(Failure::passing("read a list", "throttled")) } else { Ok(answer(1)) }
                })
            };
            let answers = join_all((0..100).map(|_| ask())).await;
            let is_passing =
                |answer: &Result<Answer<()>, Failure>| answer.as_ref().is_err_and(Failure::is_passing);
            assert!(answers.iter().all(|answer| answer.is_ok() != fails && is_passing(answer) == fails));
            assert_eq!(readings.get(), 1);
            let _again = ask().await;
            assert_eq!(readings.get(), if fails { 2 } else { 1 }, "a failure is not kept");
        }
    }

    #[tokio::test]
    async fn the_next_request_reads_when_the_one_that_reads_is_given_up() {
        let (cache, now, answered) = (Cache::default(), clock().moment(), Notify::new());
        let mut first = Box::pin(cache.answer(subject(1), now, || async {
            answered.notified().await;
            Ok(answer(1))
        }));
        let mut second = Box::pin(cache.answer(subject(1), now, async || Ok(answer(2))));
        assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
        drop(first);
        assert_eq!(second.await.unwrap(), answer(2));
    }

    #[tokio::test]
    async fn a_refusal_is_passed_on_and_not_kept() {
        let (cache, now) = (Cache::<()>::default(), clock().moment());
        let refused = cache.answer(subject(1), now, async || Err(Problem::not_found().into())).await;
        assert!(matches!(refused, Err(Failure::Refused(problem)) if problem == Problem::not_found()));
        assert!(cache.readings().is_empty());
    }

    #[tokio::test]
    async fn a_full_cache_makes_room_by_dropping_old_answers_and_else_reads() {
        let (cache, clock) = (Cache::default(), clock());
        let ask = async |number: usize, seq: u64| {
            cache.answer(subject(number), clock.moment(), async || Ok(answer(seq))).await.unwrap().seq
        };
        for number in 0..ANSWERS_MAX {
            ask(number, 1).await;
        }
        assert_eq!(ask(ANSWERS_MAX, 1).await, 1);
        assert_eq!(ask(ANSWERS_MAX, 2).await, 2, "there was no room to keep it");
        assert_eq!(ask(0, 2).await, 1);
        clock.advance_millis(1_000);
        assert_eq!((ask(ANSWERS_MAX, 3).await, ask(ANSWERS_MAX, 4).await), (3, 3));
        assert_eq!(cache.readings().len(), 1);
    }
}
