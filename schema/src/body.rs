//! Bodies of requests and answers: what is sent and shown, field by field.
//!
//! A request body is first read as plain JSON types (a wrong shape is 400), then parsed into values (a wrong value is 422).

pub mod account;
pub mod guest;
pub mod user;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Problem, Time,
    check::Check,
    message::Channel,
    value::{
        Bounded, Capacity, Email, HoldMinutes, Language, Name, Note, PartySize, Phone, QuoteMinutes, Reason,
        Region, Whole,
    },
    waitee::{JoinedBy, State, present},
    waitlist::Settings,
};

const CAPACITY_DEFAULT: Whole = Whole(200);
const HOLD_MINUTES_DEFAULT: Whole = Whole(10);
const LANGUAGE_DEFAULT: &str = "en";
const DAY_STARTS_DEFAULT: &str = "04:00"; // when even late kitchens have closed

/// The answer to a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// What was written.
    pub id: Uuid,
    /// Number of its last event.
    pub seq: u64,
    /// Where the visit stands; only for visits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

/// The answer to whoever asks to be forgotten, or that somebody is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Erasing {
    /// It goes on by itself from here.
    pub status: &'static str,
}

impl Default for Erasing {
    fn default() -> Self {
        Self { status: "erasing" }
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page starts; null on the last.
    pub next: Option<String>,
}

/// The body of a request that says nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// The body of POST /v1/waitlists.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateWaitlist {
    pub name: String,
    pub time_zone: String,
    pub region: String,
    pub capacity: Option<Whole>,
    pub hold_minutes: Option<Whole>,
    pub remind_minutes: Option<Whole>,
    pub quote_minutes: Option<Whole>,
    pub language: Option<String>,
    pub day_starts: Option<String>,
}

impl CreateWaitlist {
    /// # Errors
    /// Values outside what is allowed.
    pub fn parse(self) -> Result<Settings, Problem> {
        let mut check = Check::default();
        let name = check.value("/name", self.name.parse());
        let time_zone = check.value("/time_zone", self.time_zone.parse());
        let region = check.value("/region", self.region.parse());
        let capacity = check.value("/capacity", Bounded::read(self.capacity.unwrap_or(CAPACITY_DEFAULT)));
        let hold_minutes =
            check.value("/hold_minutes", Bounded::read(self.hold_minutes.unwrap_or(HOLD_MINUTES_DEFAULT)));
        let remind_minutes = check.optional("/remind_minutes", self.remind_minutes, Bounded::read);
        let quote_minutes = check.optional("/quote_minutes", self.quote_minutes, Bounded::read);
        let language = check.value("/language", self.language.as_deref().unwrap_or(LANGUAGE_DEFAULT).parse());
        let day_starts =
            check.value("/day_starts", self.day_starts.as_deref().unwrap_or(DAY_STARTS_DEFAULT).parse());
        let settings = (|| {
            Some(Settings {
                name: name?,
                time_zone: time_zone?,
                region: region?,
                capacity: capacity?,
                hold_minutes: hold_minutes?,
                remind_minutes,
                quote_minutes,
                language: language?,
                day_starts: day_starts?,
            })
        })();
        if let Some(settings) = &settings {
            check_reminder(&mut check, settings);
        }
        check.done(settings)
    }
}

/// The body of PATCH /v1/waitlists/{id}: absent stays, null goes back to what a new list has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeWaitlist {
    #[serde(deserialize_with = "present")]
    pub name: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub time_zone: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub region: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub capacity: Option<Option<Whole>>,
    #[serde(deserialize_with = "present")]
    pub hold_minutes: Option<Option<Whole>>,
    #[serde(deserialize_with = "present")]
    pub remind_minutes: Option<Option<Whole>>,
    #[serde(deserialize_with = "present")]
    pub quote_minutes: Option<Option<Whole>>,
    #[serde(deserialize_with = "present")]
    pub language: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub day_starts: Option<Option<String>>,
}

impl ChangeWaitlist {
    /// The settings after this patch.
    ///
    /// # Errors
    /// Values outside what is allowed, alone or beside those that stay.
    pub fn apply(&self, to: &Settings) -> Result<Settings, Problem> {
        let mut check = Check::default();
        let mut settings = to.clone();
        let text = |raw: &Option<Option<String>>, default: &str| {
            raw.as_ref().map(|raw| raw.as_deref().unwrap_or(default).to_owned())
        };
        if let Some(name) = check.replace("/name", self.name.clone(), |raw| raw.parse()) {
            settings.name = name;
        }
        if let Some(zone) = check.replace("/time_zone", self.time_zone.clone(), |raw| raw.parse()) {
            settings.time_zone = zone;
        }
        if let Some(region) = check.replace("/region", self.region.clone(), |raw| raw.parse()) {
            settings.region = region;
        }
        if let Some(capacity) = check.optional(
            "/capacity",
            self.capacity.map(|raw| raw.unwrap_or(CAPACITY_DEFAULT)),
            Capacity::read,
        ) {
            settings.capacity = capacity;
        }
        if let Some(hold) = check.optional(
            "/hold_minutes",
            self.hold_minutes.map(|raw| raw.unwrap_or(HOLD_MINUTES_DEFAULT)),
            HoldMinutes::read,
        ) {
            settings.hold_minutes = hold;
        }
        if let Some(remind) = check.patch("/remind_minutes", self.remind_minutes, Bounded::read) {
            settings.remind_minutes = remind;
        }
        if let Some(quote) = check.patch("/quote_minutes", self.quote_minutes, Bounded::read) {
            settings.quote_minutes = quote;
        }
        if let Some(language) =
            check.optional("/language", text(&self.language, LANGUAGE_DEFAULT), |raw| raw.parse())
        {
            settings.language = language;
        }
        if let Some(starts) =
            check.optional("/day_starts", text(&self.day_starts, DAY_STARTS_DEFAULT), |raw| raw.parse())
        {
            settings.day_starts = starts;
        }
        check_reminder(&mut check, &settings);
        check.done(Some(settings))
    }
}

/// A reminder before the call would be none.
fn check_reminder(check: &mut Check, settings: &Settings) {
    if settings.remind_minutes.is_some_and(|remind| remind.get() >= settings.hold_minutes.get()) {
        check.fault(
            "/remind_minutes",
            format!("must be less than hold_minutes, which is {}", settings.hold_minutes.get()),
        );
    }
}

/// The body of POST /v1/waitlists/{id}/waitees.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddWaitee {
    pub name: String,
    pub party_size: Whole,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub note: Option<String>,
    pub quoted_minutes: Option<Whole>,
    pub language: Option<String>,
}

/// A party as a host describes it, in clear: lives only in memory.
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
    /// # Errors
    /// Values outside what is allowed.
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

/// The body of PATCH /v1/waitees/{id}: absent stays, null clears.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeWaitee {
    #[serde(deserialize_with = "present")]
    pub name: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub party_size: Option<Option<Whole>>,
    #[serde(deserialize_with = "present")]
    pub phone: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub email: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub note: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub quoted_minutes: Option<Option<Whole>>,
    #[serde(deserialize_with = "present")]
    pub language: Option<Option<String>>,
}

/// What to change of a party, in clear: lives only in memory. Outer `None` stays, inner `None` clears.
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
    /// # Errors
    /// Values outside what is allowed.
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

/// The body of most transitions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Because {
    pub reason: Option<String>,
}

impl Because {
    /// # Errors
    /// The reason is empty or too long.
    pub fn parse(self) -> Result<Option<Reason>, Problem> {
        let mut check = Check::default();
        let reason = check.optional("/reason", self.reason, |raw| Reason::parse(&raw));
        check.done(Some(reason))
    }
}

/// The body of POST /v1/waitees/{id}/move: exactly one of `before` and `after`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Move {
    pub before: Option<String>,
    pub after: Option<String>,
    pub reason: Option<String>,
}

/// Where a party is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Right before this party.
    Before(crate::WaiteeId),
    /// Right behind this party.
    After(crate::WaiteeId),
}

impl Move {
    /// # Errors
    /// Neither or both of the neighbours, one that is no id, or a bad reason.
    pub fn parse(self) -> Result<(Beside, Option<Reason>), Problem> {
        let mut check = Check::default();
        let reason = check.optional("/reason", self.reason, |raw| Reason::parse(&raw));
        let id =
            |raw: String| raw.parse().map_err(|_| crate::value::Invalid("must be the id of a party".into()));
        let beside = match (self.before, self.after) {
            (Some(raw), None) => check.value("/before", id(raw)).map(Beside::Before),
            (None, Some(raw)) => check.value("/after", id(raw)).map(Beside::After),
            _ => {
                check.fault("", "must name either before or after, and not both");
                None
            }
        };
        check.done(beside.map(|beside| (beside, reason)))
    }
}

/// A waiting list, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waitlist {
    pub id: Uuid,
    pub name: String,
    pub time_zone: String,
    pub region: String,
    pub capacity: u32,
    pub hold_minutes: u32,
    pub remind_minutes: Option<u32>,
    pub quote_minutes: Option<u32>,
    pub language: String,
    pub day_starts: String,
    pub open: bool,
    pub active: Option<u32>,
    pub created_at: Time,
    pub public_url: String,
    pub seq: u64,
}

/// A visit, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waitee {
    pub id: Uuid,
    pub waitlist_id: Uuid,
    pub name: Option<String>,
    pub party_size: u32,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub note: Option<String>,
    pub quoted_minutes: Option<u32>,
    pub language: Option<Language>,
    pub state: State,
    pub position: Option<u32>,
    pub duplicate_of: Option<Uuid>,
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

/// A message to a guest, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notification {
    pub id: String,
    pub kind: &'static str,
    pub channel: Option<Channel>,
    pub status: &'static str,
    pub at: Time,
    pub reason: Option<String>,
}

/// An event, as history shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    pub stream: String,
    pub seq: u64,
    #[serde(rename = "type")]
    pub kind: String,
    pub v: u32,
    pub at: Time,
    pub actor: String,
    pub commit: Uuid,
    pub correlation: String,
    pub causation: Option<String>,
    pub data: serde_json::Value,
}

/// A page of a stream's history, with the state of its hash chain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct History {
    pub items: Vec<Event>,
    pub next: Option<String>,
    pub verified: Verified,
}

/// Whether a stream's chain holds, and the first commit where it does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub ok: bool,
    pub seq: Option<u64>,
    pub why: Option<String>,
}
