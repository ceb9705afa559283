//! React: what follows from a fact outside the log. The stream brings facts, each becomes intents on a queue, and whoever works
//! that queue off carries them out.

pub mod erasure;
pub mod intent;
pub mod reactor;

pub use intent::Intent;
