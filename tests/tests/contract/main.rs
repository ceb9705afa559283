//! What the event log promises, shown on a real engine: the embedded one, or the one that the environment names.

mod append;
mod chain;
mod generated;
mod golden;
mod limits;
mod lost;
mod races;
mod repeat;
mod together;
mod units;
