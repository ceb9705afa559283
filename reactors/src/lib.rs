//! React: what follows from a fact outside the log. The stream brings facts, each becomes intents on a queue, and whoever works
//! that queue off carries them out. What only time brings about, the minute's look puts on the same queues.

pub mod delivery;
pub mod erasure;
pub mod intent;
pub mod react;
pub mod reactor;
pub mod tick;
pub mod wording;

pub use intent::Intent;
