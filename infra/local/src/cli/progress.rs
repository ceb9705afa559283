//! Lines of progress on standard error.

use std::sync::Mutex;

use infra::telemetry;
use tokio::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_secs(2);

/// Writes a line at most every two seconds, the first one after two seconds.
pub(super) struct Progress(Mutex<Instant>);

impl Progress {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    pub(super) fn tell(&self, line: impl FnOnce() -> String) {
        let Ok(mut told) = self.0.lock() else { return };
        if told.elapsed() >= INTERVAL {
            *told = Instant::now();
            telemetry::tell(line() + "\n");
        }
    }
}
