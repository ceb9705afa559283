//! Forgetting people: who is erased becomes unreadable for good.

mod eraser;
pub mod react;

pub use self::{
    eraser::{Eraser, forget},
    react::TYPES,
};
