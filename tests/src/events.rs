//! Builds the events that AWS sends to lambdas, with the documented fields.
//!
//! Their times are fixed, because a function takes the time from its clock and never from an event.

mod http;
mod queue;
mod stream;

pub use http::HttpRequest;
pub use queue::{queue_event, queue_event_of, queue_event_received};
pub use stream::{Change, image, stream_event, stream_event_of};

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "000000000000";
/// 22 November 2026, noon.
const TIME_MS: i64 = 1_795_348_800_000;
