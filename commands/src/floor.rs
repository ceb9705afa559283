//! Answers that take the same time whether an account exists or not, so that their timing reveals nothing.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The earliest such an answer is sent. The work itself takes about a tenth of it, mostly one password hash.
const ANSWER_FLOOR: Duration = Duration::from_millis(300);

/// The moment before which the answer is held back.
pub(crate) struct Floor(Instant);

impl Floor {
    /// Starts the wait. Call it before the first look-up.
    pub(crate) fn from_now() -> Self {
        Self(Instant::now() + ANSWER_FLOOR)
    }

    pub(crate) async fn reached(self) {
        sleep_until(self.0).await;
    }
}
