//! The sweep: the last net under the feed. It reads every commit and every row, and asks for what was lost to be done.
//!
//! A row that is behind its stream has its doorbell rung again. A row that is ahead of its stream, or has none, is
//! reported. An erased subject that has a key again, as after a restore of the vault, is erased again.
//!
//! [`restore`] prepares a restored log for use.
//!
//! The sweep itself writes no rows and destroys no keys: it sends messages to the queues of the projector and the eraser.

mod commits;
mod erased;
mod pace;
mod part;
mod pointers;
mod rebuilds;
mod report;
mod restore;
mod rows;
mod run;
mod sweeper;

pub use self::{
    commits::FEED_MAX_MS,
    pace::Pace,
    rebuilds::STEP_MAX_MS,
    report::{Ahead, NAMED_MAX, Report},
    restore::{Restore, Restored, restore},
    run::Sweep,
    sweeper::Sweeper,
};
