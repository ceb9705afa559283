//! Answers that must not tell by their time what they do not say.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// No such answer comes sooner. What is done meanwhile takes a tenth of it, most of that for one hash of a password.
const ANSWER_FLOOR: Duration = Duration::from_millis(300);

/// The moment before which there is no answer.
pub(crate) struct Floor(Instant);

impl Floor {
    /// Counted from now, before anything is looked up.
    pub(crate) fn from_now() -> Self {
        Self(Instant::now() + ANSWER_FLOOR)
    }

    /// Waits for it.
    pub(crate) async fn reached(self) {
        sleep_until(self.0).await;
    }
}
