//! Fixtures of the tests in `tests/tests`: a backend on a real engine with a meter, the server as a process,
//! the built lambdas as AWS runs them, and the events that AWS sends them.

pub mod account;
pub mod binaries;
pub mod browser;
pub mod carrier;
pub mod cases;
pub mod costs;
pub mod cpu;
pub mod declared;
pub mod delivery;
pub mod endpoints;
pub mod events;
pub mod external;
pub mod generations;
pub mod mails;
pub mod mapping;
pub mod meter;
pub mod past;
pub mod process;
pub mod rebuilds;
pub mod rows;
pub mod runtime_api;
pub mod stage;
pub mod template;
mod webdriver;
pub mod wire;
