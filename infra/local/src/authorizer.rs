//! Caches the authorizer's answers for a minute, as API Gateway does, so that a revoked token is accepted for
//! up to a minute locally as well.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::HeaderValue;
use infra::{Backend, Failure, clock::Moment, http::Principal};
use schema::commit::Tag;
use tracing::error;

const AGE_MAX: Duration = Duration::from_secs(60);

/// The most answers kept, about 200 bytes each; the oldest are dropped first.
const ANSWERS_MAX: usize = 10_000;

/// Calls the authorizer and caches its answers.
#[derive(Default)]
pub(crate) struct Authorizer(Mutex<Answers>);

#[derive(Default)]
struct Answers {
    /// Keyed by the hash of the header, so that tokens do not stay in memory.
    kept: HashMap<Tag, Kept>,
    /// The same hashes, oldest first.
    order: VecDeque<Tag>,
}

struct Kept {
    principal: Principal,
    asked_at: Moment,
}

impl Kept {
    fn is_fresh(&self, now: Moment) -> bool {
        now.since(self.asked_at) < AGE_MAX
    }
}

impl Authorizer {
    /// Returns the principal of a request's `Authorization` header. Without the header the authorizer is not
    /// called.
    pub(crate) async fn principal(&self, backend: &Backend, header: Option<&HeaderValue>) -> Principal {
        let Some(header) = header else { return Principal::Anonymous };
        self.ask(header, backend.clock.moment(), async || {
            commands::authorizer::authorize(backend, header.to_str().ok()).await
        })
        .await
    }

    /// Returns the cached answer, or calls the authorizer. Concurrent requests that miss the cache each call
    /// it.
    async fn ask(
        &self,
        header: &HeaderValue,
        now: Moment,
        authorize: impl AsyncFnOnce() -> Result<Principal, Failure>,
    ) -> Principal {
        let hash = Tag::of(&[header.as_bytes()]);
        if let Some(principal) = self.answers().get(hash, now) {
            return principal;
        }
        match authorize().await {
            Ok(Principal::Unknown) => Principal::Unknown,
            Ok(principal) => {
                self.answers().put(hash, Kept { principal: principal.clone(), asked_at: now });
                principal
            }
            Err(failure) => {
                error!(cause = failure.chain(), "could not authorize a request; answering as unavailable");
                Principal::Unknown
            }
        }
    }

    /// Ignores poisoning: the cache stays valid when a thread panics while holding the lock.
    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers {
    fn get(&self, hash: Tag, now: Moment) -> Option<Principal> {
        self.kept.get(&hash).filter(|kept| kept.is_fresh(now)).map(|kept| kept.principal.clone())
    }

    /// Caches an answer and drops expired ones.
    fn put(&mut self, hash: Tag, answer: Kept) {
        while let Some(oldest) = self.order.front().copied() {
            let is_fresh = self.kept.get(&oldest).is_some_and(|kept| kept.is_fresh(answer.asked_at));
            if is_fresh && self.kept.len() < ANSWERS_MAX {
                break;
            }
            self.order.pop_front();
            self.kept.remove(&oldest);
        }
        if self.kept.insert(hash, answer).is_none() {
            self.order.push_back(hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use infra::Clock;
    use schema::{Time, UserId};

    use super::*;

    const AGE_MAX_MS: i64 = AGE_MAX.as_millis() as i64;

    fn at(ms: i64) -> Moment {
        let clock = Clock::fixed(Time::from_millis(1_800_000_000_000));
        clock.advance_millis(ms);
        clock.moment()
    }

    fn header(text: &str) -> HeaderValue {
        text.parse().unwrap()
    }

    fn account(n: usize) -> Principal {
        let id: UserId = format!("00000000-0000-0000-0000-{n:012x}").parse().unwrap();
        Principal::account(id, 1_900_000_000)
    }

    /// Sends one request. Returns the answer, and whether the authorizer was called.
    async fn ask(
        authorizer: &Authorizer,
        text: &str,
        ms: i64,
        answer: Result<Principal, Failure>,
    ) -> (Principal, bool) {
        let asked = Cell::new(false);
        let authorize = async || {
            asked.set(true);
            answer
        };
        (authorizer.ask(&header(text), at(ms), authorize).await, asked.get())
    }

    #[tokio::test]
    async fn an_answer_is_cached_for_a_minute() {
        let authorizer = Authorizer::default();
        assert_eq!(ask(&authorizer, "Bearer a", 0, Ok(account(1))).await, (account(1), true));
        assert_eq!(
            ask(&authorizer, "Bearer a", AGE_MAX_MS - 1, Ok(Principal::Anonymous)).await,
            (account(1), false)
        );
        assert_eq!(
            ask(&authorizer, "Bearer b", AGE_MAX_MS - 1, Ok(account(2))).await,
            (account(2), true),
            "another token"
        );
        assert_eq!(
            ask(&authorizer, "Bearer a", AGE_MAX_MS, Ok(Principal::Anonymous)).await,
            (Principal::Anonymous, true)
        );
        assert_eq!(
            ask(&authorizer, "Bearer a", AGE_MAX_MS + 1, Ok(account(1))).await,
            (Principal::Anonymous, false),
            "a refusal is cached as well"
        );
    }

    #[tokio::test]
    async fn a_failed_authorization_is_not_cached() {
        let authorizer = Authorizer::default();
        let broken = || Err(Failure::broken("read a session", "the table is away"));
        assert_eq!(ask(&authorizer, "Bearer a", 0, broken()).await, (Principal::Unknown, true));
        assert_eq!(ask(&authorizer, "Bearer a", 0, Ok(Principal::Unknown)).await, (Principal::Unknown, true));
        assert_eq!(ask(&authorizer, "Bearer a", 0, Ok(account(1))).await, (account(1), true));
    }

    #[tokio::test]
    async fn concurrent_requests_that_miss_the_cache_each_call_the_authorizer() {
        let authorizer = Authorizer::default();
        let (header, both) = (header("Bearer a"), tokio::sync::Barrier::new(2));
        let one = || async {
            both.wait().await;
            Ok(account(1))
        };
        let asking =
            futures::future::join(authorizer.ask(&header, at(0), one), authorizer.ask(&header, at(0), one));
        assert_eq!(asking.await, (account(1), account(1)));
    }

    #[tokio::test]
    async fn a_full_cache_drops_its_oldest_answers() {
        let authorizer = Authorizer::default();
        for n in 0..ANSWERS_MAX + 7 {
            ask(&authorizer, &format!("Bearer {n}"), 0, Ok(account(n))).await;
        }
        let answers = || {
            let answers = authorizer.answers();
            (answers.kept.len(), answers.order.len())
        };
        assert_eq!(answers(), (ANSWERS_MAX, ANSWERS_MAX));
        assert!(ask(&authorizer, "Bearer 0", 0, Ok(account(0))).await.1, "the oldest answer was dropped");
        assert!(!ask(&authorizer, &format!("Bearer {}", ANSWERS_MAX + 6), 0, Ok(account(0))).await.1);
        ask(&authorizer, "Bearer last", AGE_MAX_MS, Ok(account(0))).await;
        assert_eq!(answers(), (1, 1), "expired answers are dropped");
    }

    #[tokio::test]
    async fn the_cache_holds_no_token() {
        let authorizer = Authorizer::default();
        ask(&authorizer, "Bearer a", 0, Ok(account(1))).await;
        let hashes: Vec<Tag> = authorizer.answers().order.iter().copied().collect();
        assert_eq!(hashes, [Tag::of(&[b"Bearer a"])]);
    }
}
