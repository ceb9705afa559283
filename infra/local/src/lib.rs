//! The local backend: what stands in for AWS when everything runs in one process.

pub mod engine;
pub mod pump;

#[cfg(test)]
mod testing;
