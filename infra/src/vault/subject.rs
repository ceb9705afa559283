use std::fmt;

use schema::{UserId, WaiteeId};

/// The account or guest that a key belongs to. Erasing the subject destroys the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An account. Its key seals the account's own data and wraps the keys of its guests.
    Account(UserId),
    /// A guest during one visit.
    Guest { account: UserId, guest: WaiteeId },
}

impl Subject {
    /// Returns the subject whose key wraps this one's. An account has none: the master key wraps its key.
    pub(super) fn parent(self) -> Option<Self> {
        match self {
            Self::Account(_) => None,
            Self::Guest { account, .. } => Some(Self::Account(account)),
        }
    }
}

/// Writes the name of the subject's item in the vault table.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "account-{account}"),
            Self::Guest { guest, .. } => write!(f, "guest-{guest}"),
        }
    }
}
