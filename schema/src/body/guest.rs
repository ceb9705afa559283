//! Bodies of the public routes, which guests use without an account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AddWaitee, Written};
use crate::{
    Time,
    value::{Dialled, Email, Language, ListName, Name, Note, PartySize, QuoteMinutes, Region, Whole, Zone},
    waitee::State,
};

/// The body of POST /v1/public/waitlists/{id}/waitees: like a host's, without `quoted_minutes`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinWaitlist {
    #[schemars(with = "Name")]
    pub name: String,
    #[schemars(with = "PartySize")]
    pub party_size: Whole,
    #[schemars(with = "Option<Dialled>")]
    pub phone: Option<String>,
    #[schemars(with = "Option<Email>")]
    pub email: Option<String>,
    #[schemars(with = "Option<Note>")]
    pub note: Option<String>,
    #[schemars(with = "Option<Language>")]
    pub language: Option<String>,
}

impl From<JoinWaitlist> for AddWaitee {
    fn from(body: JoinWaitlist) -> Self {
        let JoinWaitlist { name, party_size, phone, email, note, language } = body;
        Self { name, party_size, phone, email, note, quoted_minutes: None, language }
    }
}

/// The answer to a guest who joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Joined {
    #[serde(flatten)]
    pub written: Written,
    /// The credential that opens this one visit.
    pub visit_token: String,
    /// The page of the visit. The token stands in the fragment, which browsers do not send.
    pub status_url: String,
}

/// A list in answers to everyone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PublicWaitlist {
    pub id: Uuid,
    #[schemars(with = "ListName")]
    pub name: String,
    pub open: bool,
    pub waiting: u32,
    #[schemars(with = "Option<QuoteMinutes>")]
    pub quote_minutes: Option<u32>,
    #[schemars(with = "Zone")]
    pub time_zone: String,
    pub language: Language,
    #[schemars(with = "Region")]
    pub region: String,
}

/// A visit in answers to its guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Visit {
    pub waitlist: OnList,
    pub state: State,
    pub position: Option<u32>,
    pub ahead: Option<u32>,
    #[schemars(with = "PartySize")]
    pub party_size: u32,
    pub quoted_at: Option<Time>,
    pub hold_until: Option<Time>,
    pub seq: u64,
}

/// The list that a guest waits on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OnList {
    pub id: Uuid,
    #[schemars(with = "ListName")]
    pub name: String,
    #[schemars(with = "Zone")]
    pub time_zone: String,
    pub language: Language,
}
