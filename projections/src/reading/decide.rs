//! The decision on a reading: it is always recorded.

use schema::{Problem, Time, reading::Event};

use super::Readings;
use crate::Decider;

/// No reading is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {}
    }
}

impl Decider for Readings {
    /// The reading, as it is recorded.
    type Command = Event;
    type Refusal = Refusal;

    fn decide(&self, reading: &Event, _: Time) -> Result<Vec<Event>, Refusal> {
        Ok(vec![reading.clone()])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schema::reading::HistoryRead;

    use super::*;

    #[test]
    fn each_reading_is_recorded_also_a_repeated_one() {
        let reading = HistoryRead { by: "cleo".into(), command: "audit".into(), arguments: BTreeMap::new() };
        let reading = Event::HistoryRead(reading);
        let at = Time::from_millis(1_795_203_720_000);
        for _ in 0..2 {
            assert_eq!(Readings.decide(&reading, at), Ok(vec![reading.clone()]));
        }
    }
}
