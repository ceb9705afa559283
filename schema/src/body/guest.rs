//! Bodies of the public routes, which guests use without an account.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AddWaitee, Written};
use crate::{Time, value::Whole, waitee::State};

/// The body of POST /v1/public/waitlists/{id}/waitees: like a host's, without `quoted_minutes`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinWaitlist {
    pub name: String,
    pub party_size: Whole,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub note: Option<String>,
    pub language: Option<String>,
}

impl From<JoinWaitlist> for AddWaitee {
    fn from(body: JoinWaitlist) -> Self {
        let JoinWaitlist { name, party_size, phone, email, note, language } = body;
        Self { name, party_size, phone, email, note, quoted_minutes: None, language }
    }
}

/// The answer to a guest who joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Joined {
    #[serde(flatten)]
    pub written: Written,
    /// The credential that opens this one visit.
    pub visit_token: String,
    /// The page of the visit. The token stands in the fragment, which browsers do not send.
    pub status_url: String,
}

/// A list in answers to everyone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicWaitlist {
    pub id: Uuid,
    pub name: String,
    pub open: bool,
    pub waiting: u32,
    pub quote_minutes: Option<u32>,
}

/// A visit in answers to its guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Visit {
    pub waitlist: OnList,
    pub state: State,
    pub position: Option<u32>,
    pub ahead: Option<u32>,
    pub party_size: u32,
    pub quoted_at: Option<Time>,
    pub hold_until: Option<Time>,
    pub seq: u64,
}

/// The list that a guest waits on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnList {
    pub id: Uuid,
    pub name: String,
}
