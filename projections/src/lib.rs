//! Project, and serve reads: rows that the log's stream built, and the log's own history.

pub mod cursor;
pub mod feed;
pub mod fresh;
pub mod handler;
pub mod history;
pub mod mails;
mod opened;
pub mod projection;
pub mod users;
pub mod waitees;
pub mod waitlists;
