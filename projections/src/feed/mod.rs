//! The feed: applies the records of the events table's stream to rows, and queues the next steps of rebuilds.
//!
//! A doorbell is done when every generation with a role has it, or it is parked with the generation that lacks it.

mod lacking;
mod retry;
mod stream;

pub use self::{
    lacking::lacking,
    retry::{Parked, retry},
    stream::Feed,
};
pub use crate::doorbell::{Applied, Doorbell, apply, apply_by, apply_in};

/// The consumer's name in checkpoints and parked doorbells.
pub const CONSUMER: &str = "projector";
