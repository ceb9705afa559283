//! Forgetting people: who is erased becomes unreadable for good.

mod eraser;

pub use self::eraser::{Eraser, forget};
