//! Bodies about waiting lists.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::rust::double_option;
use uuid::Uuid;

use crate::{
    Problem, Time,
    check::Check,
    value::{
        Bounded, Capacity, DayStart, HoldMinutes, Language, ListName, QuoteMinutes, Region, RemindMinutes,
        Whole, Zone,
    },
    waitlist::Settings,
};

const CAPACITY_DEFAULT: Whole = Whole(200);
const HOLD_MINUTES_DEFAULT: Whole = Whole(10);
const LANGUAGE_DEFAULT: &str = "en";
const DAY_STARTS_DEFAULT: &str = "04:00"; // late kitchens have closed by then

/// The body of POST /v1/waitlists.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWaitlist {
    #[schemars(with = "ListName")]
    pub name: String,
    #[schemars(with = "Zone")]
    pub time_zone: String,
    #[schemars(with = "Region")]
    pub region: String,
    #[schemars(with = "Option<Capacity>", extend("default" = CAPACITY_DEFAULT.0))]
    pub capacity: Option<Whole>,
    #[schemars(with = "Option<HoldMinutes>", extend("default" = HOLD_MINUTES_DEFAULT.0))]
    pub hold_minutes: Option<Whole>,
    #[schemars(with = "Option<RemindMinutes>")]
    pub remind_minutes: Option<Whole>,
    #[schemars(with = "Option<QuoteMinutes>")]
    pub quote_minutes: Option<Whole>,
    #[schemars(with = "Option<Language>", extend("default" = LANGUAGE_DEFAULT))]
    pub language: Option<String>,
    #[schemars(with = "Option<DayStart>", extend("default" = DAY_STARTS_DEFAULT))]
    pub day_starts: Option<String>,
}

impl CreateWaitlist {
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

/// The body of PATCH /v1/waitlists/{id}: an absent field stays unchanged, null sets the value that a new list
/// has.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeWaitlist {
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "ListName")]
    pub name: Option<Option<String>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Zone")]
    pub time_zone: Option<Option<String>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Region")]
    pub region: Option<Option<String>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Option<Capacity>")]
    pub capacity: Option<Option<Whole>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Option<HoldMinutes>")]
    pub hold_minutes: Option<Option<Whole>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Option<RemindMinutes>")]
    pub remind_minutes: Option<Option<Whole>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Option<QuoteMinutes>")]
    pub quote_minutes: Option<Option<Whole>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Option<Language>")]
    pub language: Option<Option<String>>,
    #[serde(deserialize_with = "double_option::deserialize")]
    #[schemars(with = "Option<DayStart>")]
    pub day_starts: Option<Option<String>>,
}

impl ChangeWaitlist {
    /// The settings `to` after this patch.
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

/// A reminder must lie between the call and the end of the hold.
fn check_reminder(check: &mut Check, settings: &Settings) {
    if settings.remind_minutes.is_some_and(|remind| remind.get() >= settings.hold_minutes.get()) {
        check.fault(
            "/remind_minutes",
            format!("must be less than hold_minutes, which is {}", settings.hold_minutes.get()),
        );
    }
}

/// A waiting list in answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Waitlist {
    pub id: Uuid,
    #[schemars(with = "ListName")]
    pub name: String,
    #[schemars(with = "Zone")]
    pub time_zone: String,
    #[schemars(with = "Region")]
    pub region: String,
    #[schemars(with = "Capacity")]
    pub capacity: u32,
    #[schemars(with = "HoldMinutes")]
    pub hold_minutes: u32,
    #[schemars(with = "Option<RemindMinutes>")]
    pub remind_minutes: Option<u32>,
    #[schemars(with = "Option<QuoteMinutes>")]
    pub quote_minutes: Option<u32>,
    #[schemars(with = "Language")]
    pub language: String,
    #[schemars(with = "DayStart")]
    pub day_starts: String,
    pub open: bool,
    pub active: Option<u32>,
    pub created_at: Time,
    pub public_url: String,
    pub seq: u64,
}
