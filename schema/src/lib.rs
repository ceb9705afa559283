//! Events and their values, the layouts of rows and tables, and the bodies of requests and answers.
//!
//! This package performs no I/O, knows no AWS service and reads no clock.

pub mod access;
pub mod agenda;
pub mod body;
pub mod check;
pub mod checkpoint;
pub mod commit;
mod described;
pub mod event;
pub mod id;
pub mod mail;
pub mod message;
pub mod openapi;
pub mod page;
pub mod parameter;
pub mod problem;
pub mod projection;
pub mod rank;
pub mod reading;
pub mod route;
pub mod sealed;
pub mod session;
pub mod sync;
pub mod table;
pub mod time;
pub mod user;
pub mod value;
pub mod waitee;
pub mod waitlist;

pub use checkpoint::Checkpoint;
pub use commit::{Commit, Fact};
pub use event::DomainEvent;
pub use id::{Actor, MailId, SessionId, StreamId, UserId, WaiteeId, WaitlistId};
pub use problem::{Problem, Slug};
pub use rank::Rank;
pub use sealed::Sealed;
pub use time::Time;
