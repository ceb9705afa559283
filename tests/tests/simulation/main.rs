//! Simulated faults: doorbells that are repeated, late, reordered or lost, unreadable commits, tables that do
//! not answer, and processes that abort. In the end the rows must equal the fold of the log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic fails the test")]

mod checkpoint;
mod crash;
mod delivery;
mod erasure;
mod feed;
mod generations;
mod history;
mod oracle;
mod poison;
mod proxy;
mod pump;
mod rebuild;
mod records;
mod retries;
mod sweep;
mod verify;
