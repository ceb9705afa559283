//! Decide: which events follow from a command, one folder per aggregate, and the handlers of commands.

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
pub mod session;
pub mod user;
pub mod waitee;
pub mod waitlist;

#[cfg(test)]
mod spec;
