//! The host's pages.

mod access;
mod accounts;
mod board;
mod clocks;
mod crowd;
mod evening;
mod outbox;
mod sessions;
