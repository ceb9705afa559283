//! The decision on a reading: it is always recorded.

use schema::{
    Problem, Time,
    reading::{Event, HistoryRead},
};

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
    type Command = HistoryRead;
    type Refusal = Refusal;

    fn decide(&self, reading: &HistoryRead, _: Time) -> Result<Vec<Event>, Refusal> {
        Ok(vec![Event::HistoryRead(reading.clone())])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_reading_is_recorded_also_a_repeated_one() {
        let reading = HistoryRead { by: "cleo".into(), command: "audit".into(), arguments: BTreeMap::new() };
        let at = Time::from_millis(1_795_203_720_000);
        for _ in 0..2 {
            assert_eq!(Readings.decide(&reading, at), Ok(vec![Event::HistoryRead(reading.clone())]));
        }
    }
}
