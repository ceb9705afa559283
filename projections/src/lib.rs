//! Folds the log's stream into rows, and serves reads from rows and from the log.

mod again;
mod as_of;
pub mod audit;
pub mod checkpoint;
pub mod complete;
pub mod cursor;
mod dead_letters;
mod dispatch;
mod doorbell;
mod events;
pub mod exports;
pub mod feed;
pub mod fresh;
pub mod handler;
pub mod history;
mod lag;
pub mod mails;
mod opened;
pub mod operations;
mod position;
pub mod projection;
pub mod reading;
pub mod rebuild;
mod shown;
pub mod users;
pub mod verify;
pub mod waitees;
pub mod waitlists;

use infra::log::Decider;
