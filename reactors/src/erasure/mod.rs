//! Erasure: makes the personal data of an account or guest unreadable for good.

mod eraser;

pub use self::eraser::{Eraser, forget};
