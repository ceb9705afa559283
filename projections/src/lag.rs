//! The lag of rows behind the log, as a metric.

use infra::{Backend, telemetry::metrics};
use schema::{Time, projection::Name};

/// Observes how long a row has lacked, or lacks, a commit of the time `at`.
pub(crate) fn observe(backend: &Backend, name: Name, at: Time) {
    let lag_ms = backend.clock.now().millis() - at.millis();
    metrics::FEED_LAG.set(u64::try_from(lag_ms).unwrap_or(0), [name.as_str()]);
}
