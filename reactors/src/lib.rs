//! React: the work outside the log that follows from events. The reactor turns commits of the stream into
//! intents on queues; the deliver lambda and the eraser carry them out. The tick queues intents for work that
//! falls due by time.

pub mod delivery;
pub mod erasure;
pub mod intent;
pub mod react;
pub mod reactor;
pub mod tick;
pub mod wording;

pub use intent::Intent;
