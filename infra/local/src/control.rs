//! Moves the clock of a running server that was started for it: what the server serves beside the API, and who asks for it.
//!
//! It is served on an address of its own that `server.json` names together with a secret, so that only those who can read the
//! server's files can move its clock.

use std::{io, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    routing::post,
};
use infra::{Clock, clock::random};
use schema::{Time, commit::Tag};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tracing::{error, info};

use crate::gate::{Gate, WAIT_MAX};

/// The clock is moved no further than to the start of 2100: what reads its times takes four digits for a year.
const LATEST_MS: i64 = 4_102_444_800_000;

/// Where a server's clock is moved, as `server.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// The address.
    pub url: String,
    /// What a request has to know.
    pub secret: String,
}

/// Where to move the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Move {
    /// To this time.
    Set(Time),
    /// By so many milliseconds.
    AdvanceMs(u64),
}

/// What the clock shows after it was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) now: Time,
}

/// Why the clock was not moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error("the clock shows {now} and is not set back: times in the log only move forward")]
    Back { now: Time },
    #[error("the clock is moved no further than to {}", Time::from_millis(LATEST_MS))]
    TooFar,
    #[error("handlers still run after {} s, so the clock was not moved; try again", WAIT_MAX.as_secs())]
    Busy,
}

struct Controlled {
    clock: Clock,
    gate: Gate,
    secret: String,
}

/// Serves requests to move the clock until the process ends.
///
/// # Errors
/// No port is free.
pub(crate) async fn serve(clock: Clock, gate: Gate) -> io::Result<Control> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let secret = data_encoding::HEXLOWER.encode(&random::<16>());
    let controlled = Controlled { clock, gate, secret: secret.clone() };
    let router = Router::new().route("/clock", post(handle)).with_state(Arc::new(controlled));
    tokio::spawn(async move {
        if let Err(cause) = axum::serve(listener, router).await {
            error!(%cause, "the clock can no longer be moved");
        }
    });
    Ok(Control { url, secret })
}

async fn handle(
    State(controlled): State<Arc<Controlled>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let given = headers.get(header::AUTHORIZATION).map(axum::http::HeaderValue::as_bytes).unwrap_or_default();
    // Hashes are compared, so that the time it takes says nothing about the secret.
    if Tag::of(&[given]) != Tag::of(&[bearer(&controlled.secret).as_bytes()]) {
        return (StatusCode::UNAUTHORIZED, "the secret is not the one that server.json names".to_owned());
    }
    let Ok(to) = serde_json::from_slice(&body) else {
        return (StatusCode::BAD_REQUEST, "send {\"set\": time} or {\"advance_ms\": number}".to_owned());
    };
    match move_clock(&controlled.clock, &controlled.gate, to).await {
        Ok(now) => (StatusCode::OK, serde_json::json!(Shown { now }).to_string()),
        Err(refused) => (StatusCode::CONFLICT, refused.to_string()),
    }
}

/// Moves the clock once the handlers that run are done, and before others begin. It runs on from there.
async fn move_clock(clock: &Clock, gate: &Gate, to: Move) -> Result<Time, ControlError> {
    let _closed = gate.close().await.ok_or(ControlError::Busy)?;
    let now = clock.now();
    let by = match to {
        Move::Set(time) => time.millis() - now.millis(),
        Move::AdvanceMs(ms) => i64::try_from(ms).unwrap_or(i64::MAX),
    };
    if by < 0 {
        return Err(ControlError::Back { now });
    }
    if now.millis().saturating_add(by) > LATEST_MS {
        return Err(ControlError::TooFar);
    }
    clock.advance_millis(by);
    info!(by_ms = by, "the clock was moved");
    Ok(now.plus_millis(by))
}

/// Has a server move its clock; what it shows then.
///
/// # Errors
/// The server refuses, with its own words, or is not there.
pub(crate) async fn ask(control: &Control, to: Move) -> Result<Shown, AskError> {
    let request = reqwest::Client::new().post(format!("{}/clock", control.url)).json(&to);
    let answer = request
        .header(header::AUTHORIZATION, bearer(&control.secret))
        .send()
        .await
        .map_err(AskError::Gone)?;
    if answer.status().is_success() {
        answer.json().await.map_err(AskError::Gone)
    } else {
        Err(AskError::Refused(answer.text().await.map_err(AskError::Gone)?))
    }
}

/// Why a server did not move its clock.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("{0}")]
    Refused(String),
    #[error(
        "the server that server.json names does not answer; start one with `waitlist serve --manual-clock`"
    )]
    Gone(#[source] reqwest::Error),
}

fn bearer(secret: &str) -> String {
    format!("Bearer {secret}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    async fn moved(clock: &Clock, to: Move) -> Result<Time, String> {
        move_clock(clock, &Gate::default(), to).await.map_err(|refused| refused.to_string())
    }

    #[tokio::test]
    async fn a_clock_is_set_and_advanced_and_all_its_clones_with_it() {
        let clock = Clock::fixed(at("2026-11-20T19:42:00Z"));
        let clone = clock.clone();
        assert_eq!(
            moved(&clock, Move::Set(at("2026-11-21T03:00:00Z"))).await,
            Ok(at("2026-11-21T03:00:00Z"))
        );
        assert_eq!(moved(&clock, Move::AdvanceMs(900_000)).await, Ok(at("2026-11-21T03:15:00Z")));
        assert_eq!(moved(&clock, Move::AdvanceMs(0)).await, Ok(at("2026-11-21T03:15:00Z")));
        assert_eq!(clone.now(), at("2026-11-21T03:15:00Z"));
    }

    #[tokio::test]
    async fn a_clock_is_not_set_back_nor_beyond_what_can_be_written() {
        let clock = Clock::fixed(at("2026-11-20T19:42:00Z"));
        let back = moved(&clock, Move::Set(at("2026-11-20T19:41:59.999Z"))).await.unwrap_err();
        assert!(back.starts_with("the clock shows 2026-11-20T19:42:00.000Z and is not set back"), "{back}");
        for to in [Move::Set(at("2100-01-01T00:00:00.001Z")), Move::AdvanceMs(u64::MAX)] {
            let refused = moved(&clock, to).await.unwrap_err();
            assert_eq!(refused, "the clock is moved no further than to 2100-01-01T00:00:00.000Z");
        }
        assert_eq!(clock.now(), at("2026-11-20T19:42:00Z"));
    }

    #[tokio::test]
    async fn a_clock_is_moved_when_the_handlers_that_run_are_done() {
        let (clock, gate) = (Clock::fixed(at("2026-11-20T19:42:00Z")), Gate::default());
        let running = gate.pass().await;
        let moving = tokio::spawn({
            let (clock, gate) = (clock.clone(), gate.clone());
            async move { move_clock(&clock, &gate, Move::AdvanceMs(1)).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(clock.now(), at("2026-11-20T19:42:00Z"));
        drop(running);
        assert_eq!(moving.await.unwrap().unwrap(), at("2026-11-20T19:42:00.001Z"));
    }

    #[tokio::test]
    async fn nobody_moves_a_clock_without_the_secret() {
        let clock = Clock::fixed(at("2026-11-20T19:42:00Z"));
        let control = serve(clock.clone(), Gate::default()).await.unwrap();
        let stranger = Control { secret: "another".into(), ..control.clone() };
        let refused = ask(&stranger, Move::AdvanceMs(1)).await.unwrap_err();
        assert_eq!(refused.to_string(), "the secret is not the one that server.json names");
        assert_eq!(clock.now(), at("2026-11-20T19:42:00Z"));
        assert_eq!(
            ask(&control, Move::AdvanceMs(1)).await.unwrap(),
            Shown { now: at("2026-11-20T19:42:00.001Z") }
        );
    }
}
