//! Journeys of users through the running server and the real handlers.

mod evening;
