//! Decide: what hosts may do, and the handlers that let them.

pub mod authorizer;
pub mod handler;
pub mod waitee;
pub mod waitlist;

#[cfg(test)]
mod spec;
