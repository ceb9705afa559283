//! Bodies of requests and answers, field by field.
//!
//! A request body is first read as plain JSON types (a wrong shape is 400), then parsed into values (a wrong
//! value is 422).

pub mod account;
pub mod guest;
mod history;
pub mod projection;
pub mod system;
mod waitee;
mod waitlist;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::{
    history::{Audit, Bad, Event, History, Verification, Verified, event_types},
    waitee::{AddWaitee, ChangeWaitee, Move, MoveTo, Notification, Party, PartyPatch, Transition, Waitee},
    waitlist::{ChangeWaitlist, CreateWaitlist, Waitlist},
};
use crate::waitee::State;

/// The answer to a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    pub id: Uuid,
    /// Number of the stream's last event.
    pub seq: u64,
    /// The state of the visit; absent in answers about anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "State")]
    pub state: Option<State>,
}

const ERASING: &str = "erasing";

/// The answer to a request to erase a guest or an account. The erasure is finished by the eraser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Erasing {
    #[schemars(extend("const" = ERASING))]
    pub status: &'static str,
}

impl Default for Erasing {
    fn default() -> Self {
        Self { status: ERASING }
    }
}

/// The most entries of a page, and their number when a request names none.
pub const PAGE_ITEMS_MAX: usize = 200;
pub const PAGE_ITEMS_DEFAULT: usize = 50;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The same page with each item converted.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(convert).collect(), next: self.next }
    }
}

/// The body of a request without fields.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}
