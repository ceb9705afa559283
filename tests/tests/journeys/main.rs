//! Journeys of users through the running server and the real handlers.

mod authorization;
mod bad_input;
mod evening;
mod kill;
mod load;
mod night;
mod oracle;
mod place;
mod raw;
