//! Decide: the decisions on commands, one folder per aggregate, and the handlers of requests that are
//! commands.

pub mod accounts;
mod author;
pub mod authorizer;
pub mod delivery;
mod floor;
pub mod forget;
pub mod guests;
pub mod hosts;
pub mod mail;
pub mod recording;
pub mod seed;
pub mod session;
pub mod user;
pub mod waitee;
pub mod waitlist;

#[cfg(test)]
mod spec;

use infra::log::Decider;
