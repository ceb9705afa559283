//! Journeys of users through the running server and the real handlers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic fails the test")]

mod accounts;
mod as_of;
mod audit;
mod authorization;
mod bad_input;
mod checkpoint;
mod clock;
mod conditions;
mod dead_letters;
mod erasure;
mod evening;
mod full;
mod guests;
mod head;
mod kill;
mod load;
mod logging;
mod me;
mod messages;
mod moves;
mod night;
mod openapi;
mod operator;
mod oracle;
mod place;
mod privacy;
mod public;
mod raw;
mod reads;
mod repeats;
mod seed;
mod spelling;
mod start;
mod tampering;
mod verify;
