//! The read model of visits, for the board, one party, and the parties of a day.

pub(crate) mod board;
pub(crate) mod day;
mod duplicates;
pub(crate) mod guest;
pub(crate) mod party;
mod past;
mod project;
mod show;

/// The projection of visits.
#[derive(Clone, Copy, Debug)]
pub struct Waitees;
