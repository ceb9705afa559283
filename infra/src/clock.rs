//! The one module that asks the machine for the time and for randomness. Everything else is told.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use schema::Time;
use uuid::Uuid;

/// Tells the time and makes ids. Clones share one clock.
#[derive(Clone, Debug)]
pub struct Clock {
    base: Base,
    offset_ms: Arc<AtomicI64>,
}

#[derive(Clone, Copy, Debug)]
enum Base {
    Machine,
    Fixed(Time),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self { base: Base::Machine, offset_ms: Arc::default() }
    }

    /// A clock that stands still until it is moved.
    #[must_use]
    pub fn fixed(at: Time) -> Self {
        Self { base: Base::Fixed(at), offset_ms: Arc::default() }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Time {
        self.base_now().plus_millis(self.offset_ms.load(Ordering::SeqCst))
    }

    /// Moves this clock and all its clones forward.
    pub fn advance_millis(&self, ms: i64) {
        self.offset_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sets this clock and all its clones; it runs on from there if it ran before.
    pub fn set(&self, to: Time) {
        self.offset_ms.store(to.millis() - self.base_now().millis(), Ordering::SeqCst);
    }

    /// A fresh UUIDv7 whose milliseconds are `at`.
    #[must_use]
    pub fn id(&self, at: Time) -> Uuid {
        let millis = u64::try_from(at.millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random()).into_uuid()
    }

    fn base_now(&self) -> Time {
        match self.base {
            #[expect(clippy::disallowed_methods, reason = "this module is where the time comes from")]
            Base::Machine => Time::from_millis(chrono::Utc::now().timestamp_millis()),
            Base::Fixed(at) => at,
        }
    }
}

/// Random bytes from the machine's cryptographic source.
///
/// # Panics
/// When the machine has no randomness: nothing that is sealed or named could be trusted then.
#[must_use]
#[expect(clippy::expect_used, reason = "without randomness there is nothing safe left to do")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the machine's random source answers");
    bytes
}
