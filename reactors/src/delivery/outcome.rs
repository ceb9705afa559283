//! Counts the outcomes of deliveries.

use commands::delivery::Command;
use infra::telemetry::metrics::{DELIVERIES, DELIVERIES_FAILED};
use schema::message::MessageId;

/// Counts the outcome of an attempt to send a message; `None` if it is unknown.
pub(super) fn count(message: MessageId, outcome: Option<&Command>) {
    let outcome = match outcome {
        None => "unknown",
        Some(Command::Start { .. } | Command::Settle { .. }) => return,
        Some(Command::Sent { .. }) => "sent",
        Some(Command::Fail { for_now: true, attempt, .. }) if *attempt < message.kind.attempts_max() => {
            "retried"
        }
        Some(Command::Fail { .. }) => "failed",
        Some(Command::Skip { .. }) => "skipped",
        Some(Command::Bounce { .. }) => "bounced",
    };
    if outcome == "failed" {
        DELIVERIES_FAILED.count([]);
    }
    DELIVERIES.count([message.kind.as_str(), outcome]);
}
