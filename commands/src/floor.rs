//! Answers that take the same time whether an account exists or not, so that their timing reveals nothing.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The least time before such an answer. The work itself takes about a tenth of it, mostly one password hash.
const ANSWER_FLOOR: Duration = Duration::from_millis(300);

/// The moment from which the answer may be sent.
pub(crate) struct Floor(Instant);

impl Floor {
    /// Starts the time. Call it before the first look-up.
    pub(crate) fn from_now() -> Self {
        Self(Instant::now() + ANSWER_FLOOR)
    }

    pub(crate) async fn reached(self) {
        sleep_until(self.0).await;
    }
}
