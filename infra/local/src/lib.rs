//! The whole backend in one process, on an embedded engine.

mod authorizer;
pub mod cli;
mod connections;
pub mod control;
pub mod data_dir;
mod edge;
pub mod engine;
mod exporter;
mod gate;
mod lag;
pub mod pump;
mod seed;
pub mod server;
mod settings;
mod unparsed;
pub mod workers;

#[cfg(test)]
mod testing;
