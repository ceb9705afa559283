//! The metrics of this process in Prometheus' text format, at `GET /metrics`, for callers on this machine.

use std::{net::IpAddr, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, Method, Response, header},
};
use infra::{
    Backend,
    backlog::{self, Backlog},
    telemetry::metrics::{self, DEAD_LETTERS, QUEUED},
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::sync::watch;
use tracing::warn;

use crate::lag::Lag;

pub(crate) const PATH: &str = "/metrics";

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// The bounds of the buckets of all histograms, in milliseconds.
const BUCKETS_MS: [f64; 12] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0];

/// The interval at which observed values are added to their buckets. Until then each takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// Collects and shows metrics. Clones share what is collected.
#[derive(Clone, Debug)]
pub(crate) struct Exporter(Option<PrometheusHandle>);

impl Exporter {
    /// Collects the metrics of this process from now on. If that is not possible, there are none.
    pub(crate) fn install() -> Self {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS_MS);
        match builder.and_then(PrometheusBuilder::install_recorder) {
            Ok(handle) => {
                metrics::describe();
                metrics::begin();
                Self(Some(handle))
            }
            Err(cause) => {
                warn!(%cause, "could not install the collector of metrics; GET /metrics will be empty");
                Self(None)
            }
        }
    }

    /// Whether a request asks for the metrics and may see them. For other callers there is no such path.
    pub(crate) fn is_asked(method: &Method, path: &str, peer: IpAddr) -> bool {
        method == Method::GET && path == PATH && peer.to_canonical().is_loopback()
    }

    /// Shows the metrics; those of the lag and of queues as they are now.
    pub(crate) async fn page(&self, backend: &Backend, lag: &Lag) -> Response<Body> {
        if let Err(failure) = lag.show(backend).await {
            warn!(cause = failure.chain(), "could not read the parked doorbells for the metrics");
        }
        match backlog::read(backend).await {
            Ok(backlogs) => {
                for Backlog { queue, waiting, dead } in backlogs {
                    QUEUED.set(waiting as u64, [queue]);
                    if let Some(dead) = dead {
                        DEAD_LETTERS.set(dead as u64, [queue]);
                    }
                }
            }
            Err(failure) => {
                warn!(cause = failure.chain(), "could not count the messages of the queues for the metrics");
            }
        }
        let text = self.0.as_ref().map(PrometheusHandle::render).unwrap_or_default();
        let mut page = Response::new(Body::from(text));
        page.headers_mut().insert(header::CONTENT_TYPE, MEDIA_TYPE);
        page
    }

    /// Adds observed values to their buckets until `shutdown` is true.
    pub(crate) async fn keep_up(self, mut shutdown: watch::Receiver<bool>) {
        let Some(handle) = self.0 else { return };
        while !*shutdown.borrow() {
            handle.run_upkeep();
            tokio::select! {
                () = tokio::time::sleep(UPKEEP) => {}
                _ = shutdown.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_callers_on_this_machine_see_metrics() {
        let asks = |peer: &str| Exporter::is_asked(&Method::GET, PATH, peer.parse().unwrap());
        for peer in ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"] {
            assert!(asks(peer), "{peer}");
        }
        for peer in ["192.168.1.2", "10.0.0.1", "0.0.0.0", "::", "fe80::1", "::ffff:10.0.0.1", "2001:db8::1"]
        {
            assert!(!asks(peer), "{peer}");
        }
        assert!(!Exporter::is_asked(&Method::POST, PATH, "127.0.0.1".parse().unwrap()));
    }
}
