//! The whole backend in one process, on an embedded engine.

pub mod cli;
mod connections;
pub mod data_dir;
mod edge;
pub mod engine;
pub mod pump;
pub mod server;
mod settings;
pub mod workers;

#[cfg(test)]
mod testing;
