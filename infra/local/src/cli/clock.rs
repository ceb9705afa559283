//! `waitlist clock`: moves the clock of a running server, so that a test need not wait for time to pass.

use std::{path::Path, time::Duration};

use clap::Subcommand;
use schema::Time;

use super::{Failed, print};
use crate::{
    control::{self, Move},
    data_dir::DataDir,
};

#[derive(Debug, Subcommand)]
pub(super) enum Clock {
    /// Set the clock to a later time.
    Set {
        /// RFC 3339, such as 2026-11-20T19:42:00Z.
        #[arg(value_name = "TIME")]
        to: Time,
    },
    /// Move the clock forward.
    Advance {
        /// A duration such as 90s, 15m or "1h 30m".
        #[arg(value_parser = super::duration, value_name = "DURATION")]
        by: Duration,
    },
}

/// Moves the clock and prints the new time.
pub(super) async fn run(data_dir: &Path, clock: &Clock, json: bool) -> Result<(), Failed> {
    let dir = data_dir.display();
    let running = DataDir::existing(data_dir)?.running()?;
    let running = running
        .ok_or_else(|| format!("no server runs on {dir}; start one with `waitlist serve --manual-clock`"))?;
    let control = running.control.ok_or_else(|| {
        format!("the clock of the server on {dir} cannot be moved; start the server with `waitlist serve --manual-clock`")
    })?;
    let to = match *clock {
        Clock::Set { to } => Move::Set(to),
        Clock::Advance { by } => Move::AdvanceMs(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)),
    };
    let shown = control::ask(&control, to).await?;
    Ok(print(json, &shown.now.to_string(), &serde_json::json!(shown))?)
}
