//! The attributes of a commit's item that derive from its other attributes. The hash does not cover them.

use std::collections::BTreeSet;

use super::{Broken, Commit, Unreadable};
use crate::{StreamId, UserId, id::Category};

/// The event type that the account-wide history leaves out, because a session is refreshed every few minutes.
const UNAUDITED: &str = "session.refreshed";

/// The derived attributes of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The types of the events, for filters of the stream and of the account-wide history.
    pub types: BTreeSet<String>,
    /// The key of the audit index, such as `<tenant>#2026-11`. Absent from commits that the account-wide history
    /// leaves out.
    pub month: Option<String>,
}

impl Commit {
    /// The derived attributes that this commit must have.
    ///
    /// # Errors
    /// The text is no list of events.
    pub fn derived(&self) -> Result<Derived, Unreadable> {
        let types = self.types()?;
        let month = is_audited(self.stream, &types).then(|| month(self.tenant, &self.at.month()));
        Ok(Derived { types, month })
    }
}

/// Whether the audit index holds commits of a stream with events of these types. Projections belong to no account.
#[must_use]
pub fn is_audited(stream: StreamId, types: &BTreeSet<String>) -> bool {
    stream.category != Category::Projection && types.iter().any(|kind| kind != UNAUDITED)
}

/// The partition key of an account's month, such as `2026-11`, in the audit index.
#[must_use]
pub fn month(tenant: UserId, month: &str) -> String {
    format!("{tenant}#{month}")
}

impl Derived {
    /// Compares the stored attributes with the ones that the commit must have.
    ///
    /// # Errors
    /// The first attribute that differs.
    pub fn check(&self, types: &BTreeSet<String>, month: Option<&str>) -> Result<(), Broken> {
        if self.types != *types {
            return Err(Broken::Types);
        }
        if self.month.as_deref() != month {
            return Err(Broken::Month);
        }
        Ok(())
    }
}
