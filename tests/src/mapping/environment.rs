//! An execution environment of a function: its process, started anew when the last one ended.

use std::time::Duration;

use serde_json::Value;

use super::{
    line::Line,
    sqs::Sqs,
    trouble::{Fate, Troubles},
};
use crate::runtime_api::Function;

/// A function that fails at its start is started again, which many tests beside this one may make necessary.
const STARTS_MAX: usize = 10;
/// A part of the message of a function that did not start because a call was not answered in time.
const TIMED_OUT: &str = "request has timed out";

/// Starts the function's process, which calls all services at the given address.
type Start<'s> = Box<dyn FnMut(&str) -> Function + 's>;

pub struct Environment<'s> {
    start: Start<'s>,
    engine: String,
    sqs: Sqs,
    troubles: Troubles,
    time_out: Duration,
    running: Option<(Line, Function)>,
}

/// The outcome of an invocation.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Answered(Value),
    /// The process ended after this time, by the counted time.
    Ended(Duration),
}

impl<'s> Environment<'s> {
    pub fn new(
        start: impl FnMut(&str) -> Function + 's,
        engine: String,
        sqs: &Sqs,
        troubles: &Troubles,
        time_out: Duration,
    ) -> Self {
        let (sqs, troubles) = (sqs.clone(), troubles.clone());
        Self { start: Box::new(start), engine, sqs, troubles, time_out, running: None }
    }

    /// # Panics
    /// The process ends by itself, or does not start.
    pub(super) async fn invoke(&mut self, event: Value) -> Outcome {
        for _ in 0..STARTS_MAX {
            let (mut line, function) = match self.running.take() {
                Some(running) => running,
                None => {
                    let line = Line::open(self.engine.clone(), self.sqs.clone(), self.troubles.clone()).await;
                    let function = (self.start)(&line.url);
                    (line, function)
                }
            };
            let answer = tokio::select! {
                biased;
                fate = line.fatal.recv() => Err(fate.expect("the line is open")),
                answer = function.invoke(event.clone()) => Ok(answer),
            };
            match answer {
                Ok(Ok(answer)) => {
                    self.running = Some((line, function));
                    return Outcome::Answered(answer);
                }
                Ok(Err(error)) if error.message.contains("SIGABRT") => return Outcome::Ended(Duration::ZERO),
                // It has not seen the event: a busy machine answered its calls at the start too late.
                Ok(Err(error)) if error.message.contains(TIMED_OUT) => {}
                Ok(Err(error)) => panic!("only a simulated crash ends the process: {error}"),
                Err(fate) => {
                    function.stop().await;
                    return Outcome::Ended(if fate == Fate::Hangs { self.time_out } else { Duration::ZERO });
                }
            }
        }
        panic!("the function did not start {STARTS_MAX} times");
    }
}
