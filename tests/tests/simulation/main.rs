//! What goes wrong in a distributed system, brought about on purpose: doorbells that come twice, late, out of order or not at
//! all, poison, tables that do not answer, processes that die. In the end rows must be what the log says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what fails here fails the test that called it"
)]

mod crash;
mod delivery;
mod erasure;
mod feed;
mod history;
mod oracle;
mod poison;
mod proxy;
mod pump;
mod records;
mod retries;
