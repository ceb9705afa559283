//! Journeys of users through the running server and the real handlers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what fails here fails the test")]

mod accounts;
mod authorization;
mod bad_input;
mod clock;
mod evening;
mod kill;
mod load;
mod moves;
mod night;
mod operator;
mod oracle;
mod place;
mod privacy;
mod raw;
mod reads;
mod repeats;
mod start;
