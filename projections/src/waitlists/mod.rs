//! The read model of lists, for an account's lists and for all pages about a list.

mod past;
mod project;
pub(crate) mod query;

/// The projection of lists.
#[derive(Clone, Copy, Debug)]
pub struct Waitlists;
