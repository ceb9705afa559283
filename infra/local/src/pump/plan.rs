//! Decides which records of a batch are delivered next, given the handler's answers. Pure.

use std::{collections::VecDeque, ops::Range};

use super::Mapping;

/// The handler's answer to the records that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// All records were handled.
    All,
    /// The records before this one were handled; this one and those after it were not.
    Before(usize),
    /// No record counts as handled: an error, a panic, a time-out, or an answer that names an unknown record.
    None,
}

/// The next step after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Write a checkpoint: all records before this one were handled.
    Handled(usize),
    /// Wait and deliver again. The pause grows with the number of failed attempts; a split is no attempt.
    Again(u32),
    /// Give these records to the failure destination after this many attempts.
    GiveUp(Range<usize>, u32),
}

/// The rest of a batch: contiguous parts in stream order. The first is delivered next.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    parts: VecDeque<Part>,
    attempts_max: u32,
    bisect: bool,
}

#[derive(Clone, Debug)]
struct Part {
    records: Range<usize>,
    attempts: u32, // failed attempts since the part has begun at its present first record
}

impl Plan {
    pub(super) fn new(records: usize, mapping: &Mapping) -> Self {
        let parts = (records > 0).then_some(Part { records: 0..records, attempts: 0 }).into_iter().collect();
        Self { parts, attempts_max: mapping.attempts_max, bisect: mapping.bisect }
    }

    /// Returns the records to deliver next, or `None` at the end of the batch.
    pub(super) fn due(&self) -> Option<Range<usize>> {
        self.parts.front().map(|part| part.records.clone())
    }

    /// Takes the answer to the records that [`Plan::due`] returned.
    pub(super) fn answered(&mut self, answer: Answer) -> Step {
        let Some(mut part) = self.parts.pop_front() else { return Step::Again(0) };
        match answer {
            Answer::All => Step::Handled(part.records.end),
            // The record that is first now gets all its attempts.
            Answer::Before(failed) if part.records.start < failed && failed < part.records.end => {
                self.parts.push_front(Part { records: failed..part.records.end, attempts: 0 });
                Step::Handled(failed)
            }
            Answer::None if self.bisect && part.records.len() > 1 => {
                let middle = part.records.start + part.records.len() / 2;
                self.parts.push_front(Part { records: middle..part.records.end, attempts: part.attempts });
                self.parts.push_front(Part { records: part.records.start..middle, attempts: part.attempts });
                Step::Again(part.attempts)
            }
            Answer::Before(_) | Answer::None => {
                part.attempts += 1;
                if part.attempts >= self.attempts_max {
                    return Step::GiveUp(part.records, part.attempts);
                }
                let attempts = part.attempts;
                self.parts.push_front(part);
                Step::Again(attempts)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answers() -> impl Strategy<Value = Vec<(u8, usize)>> {
        prop::collection::vec((0..3_u8, 0..20_usize), 0..60)
    }

    fn mapping(attempts_max: u32, bisect: bool) -> Mapping {
        Mapping { attempts_max, bisect, ..Mapping::of("any") }
    }

    proptest! {
        #[test]
        fn every_record_is_handled_or_given_up_once_and_in_order_for_any_answers(
            (records, attempts_max, bisect, answers) in (0..20_usize, 1..4_u32, any::<bool>(), answers())
        ) {
            let mut plan = Plan::new(records, &mapping(attempts_max, bisect));
            let mut answers = answers.into_iter();
            let (mut settled, mut calls) = (0, 0);
            while let Some(due) = plan.due() {
                calls += 1;
                prop_assert_eq!(due.start, settled);
                // After the generated answers the handler always fails.
                let answer = match answers.next() {
                    Some((0, _)) => Answer::All,
                    Some((1, place)) => Answer::Before(due.start + place % due.len()),
                    _ => Answer::None,
                };
                match plan.answered(answer) {
                    Step::Handled(end) => { prop_assert!(settled < end && end <= due.end); settled = end; }
                    Step::GiveUp(given_up, attempts) => {
                        prop_assert_eq!(attempts, attempts_max);
                        prop_assert_eq!(&given_up, &due);
                        settled = given_up.end;
                    }
                    Step::Again(_) => {}
                }
            }
            prop_assert_eq!(settled, records);
            prop_assert!(calls <= records * attempts_max as usize * 2 + records);
        }
    }

    #[test]
    fn one_bad_record_is_isolated_by_splitting() {
        let mut plan = Plan::new(8, &mapping(2, true));
        let mut given_up = Vec::new();
        while let Some(due) = plan.due() {
            let answer = if due.contains(&5) { Answer::None } else { Answer::All };
            if let Step::GiveUp(records, _) = plan.answered(answer) {
                given_up.push(records);
            }
        }
        assert_eq!(given_up, vec![5..6]);
    }

    #[test]
    fn without_splitting_a_failed_batch_is_given_up_as_a_whole() {
        let mut plan = Plan::new(8, &mapping(2, false));
        assert_eq!(plan.answered(Answer::None), Step::Again(1));
        assert_eq!(plan.answered(Answer::None), Step::GiveUp(0..8, 2));
        assert_eq!(plan.due(), None);
    }

    #[test]
    fn after_a_partial_success_the_next_record_gets_all_its_attempts() {
        let mut plan = Plan::new(8, &mapping(2, true));
        assert_eq!(plan.answered(Answer::Before(0)), Step::Again(1));
        assert_eq!(plan.answered(Answer::Before(3)), Step::Handled(3));
        assert_eq!(plan.answered(Answer::Before(3)), Step::Again(1));
        assert_eq!(plan.answered(Answer::Before(3)), Step::GiveUp(3..8, 2));
    }
}
