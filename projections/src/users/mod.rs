//! The read model of accounts, for the account page.

mod project;
pub(crate) mod query;

/// The projection of accounts.
#[derive(Clone, Copy, Debug)]
pub struct Users;
