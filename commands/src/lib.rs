//! Decide: what owners and guests may do, and the handlers that let them.

pub mod accounts;
mod author;
pub mod authorizer;
pub mod delivery;
mod floor;
pub mod forget;
pub mod guests;
pub mod hosts;
pub mod session;
pub mod user;
pub mod waitee;
pub mod waitlist;

#[cfg(test)]
mod spec;
