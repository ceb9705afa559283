//! Bodies of requests and answers, field by field.
//!
//! A request body is first read as plain JSON types (a wrong shape is 400), then parsed into values (a wrong
//! value is 422).

pub mod account;
pub mod guest;
mod history;
mod waitee;
mod waitlist;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::{
    history::{Audit, Bad, Event, History, Verification, Verified},
    waitee::{AddWaitee, ChangeWaitee, Move, MoveTo, Notification, Party, PartyPatch, Transition, Waitee},
    waitlist::{ChangeWaitlist, CreateWaitlist, Waitlist},
};
use crate::waitee::State;

/// The answer to a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub id: Uuid,
    /// Number of the stream's last event.
    pub seq: u64,
    /// The state of the visit; absent in answers about anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
}

/// The answer to a request to erase a guest or an account. The erasure is finished by the eraser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Erasing {
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
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {}
