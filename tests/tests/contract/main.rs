//! Tests of the event log's guarantees on a real engine: the embedded one, or the one named by the environment.

mod age;
mod append;
mod chain;
mod generated;
mod generations;
mod golden;
mod golden_rows;
mod limits;
mod lost;
mod past;
mod races;
mod repeat;
mod together;
mod units;
