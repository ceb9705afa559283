//! What the event log promises, shown on a real engine: the embedded one, or the one that the environment names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails in a helper fails the test that called it")]

mod append;
mod chain;
mod generated;
mod golden;
mod lost;
mod races;
mod repeat;
mod together;
mod units;
