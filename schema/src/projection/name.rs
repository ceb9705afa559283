//! The projections by name.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{StreamId, id::Category};

/// A projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ProjectionName")]
pub enum Name {
    Waitlists,
    Waitees,
    Users,
    Mails,
}

#[derive(Debug, thiserror::Error)]
#[error("must be waitlists, waitees, users or mails")]
pub struct NotAProjection;

impl Name {
    pub const ALL: [Self; 4] = [Self::Waitlists, Self::Waitees, Self::Users, Self::Mails];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waitlists => "waitlists",
            Self::Waitees => "waitees",
            Self::Users => "users",
            Self::Mails => "mails",
        }
    }

    /// The category of the streams that it folds.
    #[must_use]
    pub fn category(self) -> Category {
        match self {
            Self::Waitlists => Category::Waitlist,
            Self::Waitees => Category::Waitee,
            Self::Users => Category::User,
            Self::Mails => Category::Mail,
        }
    }

    /// The projection that folds streams of this category.
    #[must_use]
    pub fn folding(category: Category) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.category() == category)
    }

    /// The stream of its generations. The ids are fixed, because every process reads these streams.
    #[must_use]
    pub fn stream(self) -> StreamId {
        let number = match self {
            Self::Waitlists => 1,
            Self::Waitees => 2,
            Self::Users => 3,
            Self::Mails => 4,
        };
        StreamId { category: Category::Projection, id: Uuid::from_u128(FIRST_ID + number) }
    }
}

/// A UUIDv8 (RFC 9562): its content is this project's own.
const FIRST_ID: u128 = 0x8000_8000_0000_0000_0000;

impl FromStr for Name {
    type Err = NotAProjection;

    fn from_str(text: &str) -> Result<Self, NotAProjection> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or(NotAProjection)
    }
}
