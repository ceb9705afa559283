//! Event source mappings as AWS documents them, which call built lambdas.
//!
//! No time passes in them: a call that must take longer than the function's time-out is never answered, and then the
//! process is killed and the time-out added to a counted time.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

mod environment;
mod filter;
mod line;
mod queue;
mod sqs;
mod stream;
mod trouble;

pub use self::{
    environment::Environment,
    queue::work_off,
    sqs::{Message, Sqs},
    stream::{Batch, GivenUp, Polled, Reading, Why, poll},
    trouble::{ALWAYS, Fate, Service, Trouble, Troubles},
};
