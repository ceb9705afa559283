//! What the tests in `tests/tests` stand on: the built lambdas, run as AWS runs them, and the events AWS sends them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test support: what fails here fails the test that called it")]

pub mod binaries;
pub mod events;
pub mod runtime_api;
