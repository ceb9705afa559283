//! The read model of mails to owners, for the tick and for the account page.

mod project;
pub(crate) mod query;

/// The projection of mails.
#[derive(Clone, Copy, Debug)]
pub struct Mails;
