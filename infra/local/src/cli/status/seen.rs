//! The answers of a running server to `waitlist status`.

use std::{collections::BTreeMap, time::Duration};

use infra::telemetry::metrics::{FEED_LAG, TICK_LOOKED_AT};
use reqwest::{Client, Response, StatusCode};
use schema::{Time, projection::Name};
use serde_json::Value;

use crate::{data_dir::Running, exporter};

/// The time in which the server must answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// The answers of a server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    pub(super) version: Option<String>,
    /// Whether the server lets this process see its metrics.
    pub(super) shows_metrics: bool,
    /// The time of the last look of the tick.
    pub(super) looked_at: Option<Time>,
    /// By projection: the age of the oldest event that may not be in its row, in milliseconds.
    lags_ms: BTreeMap<String, u64>,
}

impl Seen {
    /// Asks a server.
    ///
    /// # Errors
    /// The server does not answer.
    pub(super) async fn ask(running: &Running) -> Result<Self, reqwest::Error> {
        let client = Client::new();
        let get = async |path: &str| -> Result<Response, reqwest::Error> {
            client.get(format!("{}{path}", running.http)).timeout(ANSWER_MAX).send().await
        };
        let health: Value = get("/healthz").await?.json().await?;
        let version = health["version"].as_str().map(str::to_owned);
        let metrics = get(exporter::PATH).await?;
        if metrics.status() != StatusCode::OK {
            return Ok(Self { version, ..Self::default() });
        }
        Ok(Self { version, shows_metrics: true, ..Self::read(&metrics.text().await?) })
    }

    /// The age of the oldest event that may not be in its row.
    pub(super) fn lag_ms(&self, name: Name) -> Option<u64> {
        self.lags_ms.get(name.as_str()).copied()
    }

    /// Reads metrics in Prometheus' text format.
    fn read(text: &str) -> Self {
        let values: BTreeMap<&str, f64> = text
            .lines()
            .filter_map(|line| line.rsplit_once(' '))
            .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
            .collect();
        let looked_at = values.get(TICK_LOOKED_AT.declared().name);
        let lag = |name: Name| {
            let of = format!("{}{{projection=\"{}\"}}", FEED_LAG.declared().name, name.as_str());
            Some((name.as_str().to_owned(), *values.get(of.as_str())? as u64))
        };
        Self {
            looked_at: looked_at.map(|seconds| Time::from_millis(*seconds as i64 * 1_000)),
            lags_ms: Name::ALL.into_iter().filter_map(lag).collect(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_and_last_tick_are_read_from_the_metrics() {
        let text = "# TYPE feed_lag_milliseconds gauge\nfeed_lag_milliseconds{projection=\"waitees\"} 12\n\
                    \ntick_looked_at_seconds 1800000000\nother 1.5\n";
        let seen = Seen::read(text);
        assert_eq!(seen.looked_at, Some(Time::from_millis(1_800_000_000_000)));
        assert_eq!((seen.lag_ms(Name::Waitees), seen.lag_ms(Name::Mails)), (Some(12), None));
    }
}
