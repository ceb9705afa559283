//! Moves the clock of a server that runs with `--manual-clock`: the server's endpoint, and the client's call.
//!
//! The endpoint has its own address. `server.json` holds the address and a secret, so only a person who can
//! read the server's files can move its clock.

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

/// The latest time to which the clock can be moved: the start of 2100, because clients expect years of four
/// digits.
const LATEST_MS: i64 = 4_102_444_800_000;

/// Address and secret of a server's clock, as `server.json` names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    pub url: String,
    pub secret: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Move {
    Set(Time),
    AdvanceMs(u64),
}

/// The time after the clock was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) now: Time,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error("the clock shows {now} and cannot be set back: times in the log only move forward")]
    Back { now: Time },
    #[error("the clock cannot be moved past {}", Time::from_millis(LATEST_MS))]
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
    // Hashes are compared, so that the time the comparison takes reveals nothing about the secret.
    if Tag::of(&[given]) != Tag::of(&[bearer(&controlled.secret).as_bytes()]) {
        return (StatusCode::UNAUTHORIZED, "the secret is not the one in server.json".to_owned());
    }
    let Ok(to) = serde_json::from_slice(&body) else {
        return (StatusCode::BAD_REQUEST, "send {\"set\": time} or {\"advance_ms\": number}".to_owned());
    };
    match move_clock(&controlled.clock, &controlled.gate, to).await {
        Ok(now) => (StatusCode::OK, serde_json::json!(Shown { now }).to_string()),
        Err(refused) => (StatusCode::CONFLICT, refused.to_string()),
    }
}

/// Moves the clock after the running handlers have finished and before new ones start. Moving it by zero only
/// reads it.
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
    if by > 0 {
        clock.advance_millis(by);
        info!(by_ms = by, now = %clock.now(), "the clock was moved");
    }
    Ok(now.plus_millis(by))
}

/// Asks a server to move its clock. Returns the new time.
///
/// # Errors
/// The server refuses, or does not answer.
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
    async fn moving_a_clock_moves_all_its_clones() {
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
    async fn a_clock_is_not_set_back_or_past_the_latest_time() {
        let clock = Clock::fixed(at("2026-11-20T19:42:00Z"));
        let back = moved(&clock, Move::Set(at("2026-11-20T19:41:59.999Z"))).await.unwrap_err();
        assert!(
            back.starts_with("the clock shows 2026-11-20T19:42:00.000Z and cannot be set back"),
            "{back}"
        );
        for to in [Move::Set(at("2100-01-01T00:00:00.001Z")), Move::AdvanceMs(u64::MAX)] {
            let refused = moved(&clock, to).await.unwrap_err();
            assert_eq!(refused, "the clock cannot be moved past 2100-01-01T00:00:00.000Z");
        }
        assert_eq!(clock.now(), at("2026-11-20T19:42:00Z"));
    }

    #[tokio::test]
    async fn a_clock_moves_after_the_running_handlers() {
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
    async fn a_clock_does_not_move_without_the_secret() {
        let clock = Clock::fixed(at("2026-11-20T19:42:00Z"));
        let control = serve(clock.clone(), Gate::default()).await.unwrap();
        let stranger = Control { secret: "another".into(), ..control.clone() };
        let refused = ask(&stranger, Move::AdvanceMs(1)).await.unwrap_err();
        assert_eq!(refused.to_string(), "the secret is not the one in server.json");
        assert_eq!(clock.now(), at("2026-11-20T19:42:00Z"));
        assert_eq!(
            ask(&control, Move::AdvanceMs(1)).await.unwrap(),
            Shown { now: at("2026-11-20T19:42:00.001Z") }
        );
    }
}
