//! Bounds on attempts: sign-ins, registrations, joins and messages, counted per account and per address.
//!
//! An attempt is counted before any work is done for it; a refused attempt is not counted. Each window of time has one
//! item in the table, which all processes update and which expires after the window. A count costs one write unit.

mod bounds;
mod quota;

use std::net::IpAddr;

use aws_sdk_dynamodb::{Client, operation::update_item::UpdateItemError, types::AttributeValue};
use schema::{Problem, table};

pub use self::{
    bounds::{Bound, Bounds, Tries},
    quota::{Counted, Quota},
};
use crate::{clock::Clock, failure::Failure, secret::Secrets};

/// How long an item is kept after its window, so that a process whose clock is behind still finds it.
const EXPIRY_SLACK_S: i64 = 600;

/// Counts attempts. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Limits {
    client: Client,
    table: String,
    secrets: Secrets,
    clock: Clock,
    bounds: Bounds,
}

impl Limits {
    /// The counts of the deployment `prefix`.
    /// Uses the table of the deployment `prefix`.
    #[must_use]
    pub fn new(client: Client, prefix: &str, secrets: Secrets, clock: Clock, bounds: Bounds) -> Self {
        Self { client, table: table::LIMITS.name(prefix), secrets, clock, bounds }
    }

    /// Counts an attempt by `who`, of which only a keyed hash is stored.
    ///
    /// # Errors
    /// 429 when the bound of this window is reached. The table does not answer.
    pub async fn count(&self, tries: Tries, who: &str) -> Result<(), Failure> {
        match self.count_within(tries, who, self.bounds.of(tries)).await? {
            Count::Counted(_) => Ok(()),
            Count::Full { retry_after_s } => Err(Problem::too_many(retry_after_s).into()),
        }
    }

    /// Counts an attempt from a network address. An IPv6 address counts by its first 64 bits, the part that one household
    /// has; all attempts from unknown addresses count together.
    ///
    /// # Errors
    /// As [`Limits::count`].
    pub async fn count_from(&self, tries: Tries, address: Option<IpAddr>) -> Result<(), Failure> {
        let from = match address.map(|address| address.to_canonical()) {
            None => "unknown".to_owned(),
            Some(IpAddr::V4(v4)) => v4.to_string(),
            Some(IpAddr::V6(v6)) => format!("{:x}", v6.to_bits() >> 64),
        };
        self.count(tries, &from).await
    }
    async fn count_within(
        &self,
        tries: Tries,
        who: &str,
        Bound { tries: most, window_s }: Bound,
    ) -> Result<Count, Failure> {
        let window_s = i64::from(window_s);
        let now_s = self.clock.now().millis().div_euclid(1_000);
        let window = now_s.div_euclid(window_s);
        let ends_s = (window + 1) * window_s;
        let counted = self.secrets.links().await?.counted(tries.as_str(), who);
        let subject = format!("{}-{window_s}-{window}-{counted}", tries.as_str());
        let counted = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("subject", AttributeValue::S(subject.clone()))
            .update_expression("SET #expires = :expires ADD #tries :one")
            .condition_expression("attribute_not_exists(#tries) OR #tries < :most")
            .expression_attribute_names("#expires", "expires_at")
            .expression_attribute_names("#tries", "tries")
            .expression_attribute_values(":expires", AttributeValue::N((ends_s + EXPIRY_SLACK_S).to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .expression_attribute_values(":most", AttributeValue::N(most.to_string()))
            .send()
            .await;
        match counted {
            Ok(_) => Ok(Count::Counted(Counted(subject))),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => {
                    Ok(Count::Full { retry_after_s: u32::try_from(ends_s - now_s).unwrap_or(1) })
                }
                _ => Err(Failure::aws(format!("count {}", tries.as_str()), error)),
            },
        }
    }
}

enum Count {
    Counted(Counted),
    /// The bound is reached; the next window begins in `retry_after_s`.
    Full {
        retry_after_s: u32,
    },
}
