//! Bodies about parties.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serde_with::rust::double_option;
use uuid::Uuid;

use crate::{
    Problem, Time, WaiteeId,
    check::Check,
    message::{Channel, Kind, MessageId, Status},
    value::{
        Dialled, Email, Invalid, Language, Name, Note, PartySize, Phone, QuoteMinutes, Reason, Region, Whole,
    },
    waitee::{JoinedBy, State},
};

/// The body of POST /v1/waitlists/{id}/waitees.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddWaitee {
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
    #[schemars(with = "Option<QuoteMinutes>")]
    pub quoted_minutes: Option<Whole>,
    #[schemars(with = "Option<Language>")]
    pub language: Option<String>,
}

/// A party in clear, parsed from a request. It is never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub name: Name,
    pub party_size: PartySize,
    pub phone: Option<Phone>,
    pub email: Option<Email>,
    pub note: Option<Note>,
    pub quoted_minutes: Option<QuoteMinutes>,
    pub language: Option<Language>,
}

impl AddWaitee {
    pub fn parse(self, region: Region) -> Result<Party, Problem> {
        let mut check = Check::default();
        let name = check.value("/name", Name::parse(&self.name));
        let party_size = check.value("/party_size", PartySize::read(self.party_size));
        let phone = check.optional("/phone", self.phone, |raw| Phone::parse(&raw, region));
        let email = check.optional("/email", self.email, |raw| Email::parse(&raw));
        let note = check.optional("/note", self.note, |raw| Note::parse(&raw));
        let quoted_minutes = check.optional("/quoted_minutes", self.quoted_minutes, QuoteMinutes::read);
        let language = check.optional("/language", self.language, |raw| raw.parse());
        let party = name.zip(party_size).map(|(name, party_size)| Party {
            name,
            party_size,
            phone,
            email,
            note,
            quoted_minutes,
            language,
        });
        check.done(party)
    }
}

/// The body of PATCH /v1/waitees/{id}: an absent field stays unchanged, null clears it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeWaitee {
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Name")]
    pub name: Option<Option<String>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "PartySize")]
    pub party_size: Option<Option<Whole>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Option<Dialled>")]
    pub phone: Option<Option<String>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Option<Email>")]
    pub email: Option<Option<String>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Option<Note>")]
    pub note: Option<Option<String>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Option<QuoteMinutes>")]
    pub quoted_minutes: Option<Option<Whole>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Option<Language>")]
    pub language: Option<Option<String>>,
}

/// Changes of a party in clear, parsed from a request. Outer `None`: unchanged; inner `None`: cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyPatch {
    pub name: Option<Name>,
    pub party_size: Option<PartySize>,
    pub phone: Option<Option<Phone>>,
    pub email: Option<Option<Email>>,
    pub note: Option<Option<Note>>,
    pub quoted_minutes: Option<Option<QuoteMinutes>>,
    pub language: Option<Option<Language>>,
}

impl ChangeWaitee {
    pub fn parse(self, region: Region) -> Result<PartyPatch, Problem> {
        let mut check = Check::default();
        let patch = PartyPatch {
            name: check.replace("/name", self.name, |raw| Name::parse(&raw)),
            party_size: check.replace("/party_size", self.party_size, PartySize::read),
            phone: check.patch("/phone", self.phone, |raw| Phone::parse(&raw, region)),
            email: check.patch("/email", self.email, |raw| Email::parse(&raw)),
            note: check.patch("/note", self.note, |raw| Note::parse(&raw)),
            quoted_minutes: check.patch("/quoted_minutes", self.quoted_minutes, QuoteMinutes::read),
            language: check.patch("/language", self.language, |raw| raw.parse()),
        };
        check.done(Some(patch))
    }
}

/// The body of a request that moves a visit to another state.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Transition {
    #[schemars(with = "Option<Reason>")]
    pub reason: Option<String>,
}

impl Transition {
    pub fn parse(self) -> Result<Option<Reason>, Problem> {
        let mut check = Check::default();
        let reason = check.optional("/reason", self.reason, |raw| Reason::parse(&raw));
        check.done(Some(reason))
    }
}

/// The body of POST /v1/waitees/{id}/move: exactly one of `before` and `after`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("anyOf" = [one_of("before", "after"), one_of("after", "before")]))]
pub struct Move {
    #[schemars(with = "Option<WaiteeId>")]
    pub before: Option<String>,
    #[schemars(with = "Option<WaiteeId>")]
    pub after: Option<String>,
    #[schemars(with = "Option<Reason>")]
    pub reason: Option<String>,
}

/// A schema in which the first field is set, and the second is not.
fn one_of(set: &str, unset: &str) -> Value {
    json!({ "required": [set], "properties": { set: { "type": "string" }, unset: { "type": "null" } } })
}

/// The new place of a party, beside another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveTo {
    /// Directly before this party.
    Before(WaiteeId),
    /// Directly behind this party.
    After(WaiteeId),
}

impl Move {
    pub fn parse(self) -> Result<(MoveTo, Option<Reason>), Problem> {
        let mut check = Check::default();
        let reason = check.optional("/reason", self.reason, |raw| Reason::parse(&raw));
        let id = |raw: String| raw.parse().map_err(|_| Invalid("must be the id of a party".into()));
        let beside = match (self.before, self.after) {
            (Some(raw), None) => check.value("/before", id(raw)).map(MoveTo::Before),
            (None, Some(raw)) => check.value("/after", id(raw)).map(MoveTo::After),
            _ => {
                check.fault("", "must name either before or after, and not both");
                None
            }
        };
        check.done(beside.map(|beside| (beside, reason)))
    }
}

/// A visit in answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Waitee {
    pub id: Uuid,
    pub waitlist_id: Uuid,
    #[schemars(with = "Option<Name>")]
    pub name: Option<String>,
    #[schemars(with = "PartySize")]
    pub party_size: u32,
    #[schemars(with = "Option<Phone>")]
    pub phone: Option<String>,
    #[schemars(with = "Option<Email>")]
    pub email: Option<String>,
    #[schemars(with = "Option<Note>")]
    pub note: Option<String>,
    #[schemars(with = "Option<QuoteMinutes>")]
    pub quoted_minutes: Option<u32>,
    pub language: Option<Language>,
    pub state: State,
    pub position: Option<u32>,
    pub duplicate_of: Option<Uuid>,
    #[schemars(extend("format" = "date"))]
    pub day: String,
    pub joined_at: Time,
    pub quoted_at: Option<Time>,
    pub called_at: Option<Time>,
    pub calls: u32,
    pub hold_until: Option<Time>,
    pub confirmed_at: Option<Time>,
    pub finished_at: Option<Time>,
    pub joined_by: JoinedBy,
    pub erased: bool,
    pub notifications: Vec<Notification>,
    pub seq: u64,
}

/// A message to a guest in answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Notification {
    #[schemars(with = "MessageId")]
    pub id: String,
    #[schemars(extend("enum" = Kind::TO_GUESTS.map(Kind::as_str)))]
    pub kind: &'static str,
    pub channel: Option<Channel>,
    pub status: Status,
    pub at: Time,
    pub reason: Option<String>,
}
