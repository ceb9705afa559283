//! What is still to be delivered of a batch, and what an answer means for it. Pure: no handler, no stream, no time.

use std::{collections::VecDeque, ops::Range};

use super::Mapping;

/// What the handler made of the records it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// All are handled.
    All,
    /// Those before this one are handled; this one and whatever follows are not.
    Before(usize),
    /// None may be taken as handled: an error, a panic, a timeout, or an answer that names an unknown record.
    None,
}

/// What follows from an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Everything before this record is behind us: checkpoint it.
    Handled(usize),
    /// Nothing is: wait, the longer the more attempts failed, then go on. A split is no attempt.
    Again(u32),
    /// These have been tried often enough, this many times: the failure destination gets them.
    GiveUp(Range<usize>, u32),
}

/// The rest of a batch: contiguous parts in stream order, of which the first is due.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    parts: VecDeque<Part>,
    attempts_max: u32,
    bisect: bool,
}

#[derive(Clone, Debug)]
struct Part {
    records: Range<usize>,
    attempts: u32, // failed, since the part began where it begins now
}

impl Plan {
    pub(super) fn new(records: usize, mapping: &Mapping) -> Self {
        let parts = (records > 0).then_some(Part { records: 0..records, attempts: 0 }).into_iter().collect();
        Self { parts, attempts_max: mapping.attempts_max, bisect: mapping.bisect }
    }

    /// The records to deliver next, until none are left.
    pub(super) fn due(&self) -> Option<Range<usize>> {
        self.parts.front().map(|part| part.records.clone())
    }

    /// Takes in the answer to what was due.
    pub(super) fn answered(&mut self, answer: Answer) -> Step {
        let Some(mut part) = self.parts.pop_front() else { return Step::Again(0) };
        match answer {
            Answer::All => Step::Handled(part.records.end),
            // Progress: what is first now has not used up any attempt of its own.
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
        fn whatever_the_answers_every_record_is_handled_or_given_up_once_and_in_order(
            (records, attempts_max, bisect, answers) in (0..20_usize, 1..4_u32, any::<bool>(), answers())
        ) {
            let mut plan = Plan::new(records, &mapping(attempts_max, bisect));
            let mut answers = answers.into_iter();
            let (mut behind, mut calls) = (0, 0);
            while let Some(due) = plan.due() {
                calls += 1;
                prop_assert_eq!(due.start, behind);
                // When the script ends the handler is as bad as can be.
                let answer = match answers.next() {
                    Some((0, _)) => Answer::All,
                    Some((1, place)) => Answer::Before(due.start + place % due.len()),
                    _ => Answer::None,
                };
                match plan.answered(answer) {
                    Step::Handled(end) => { prop_assert!(behind < end && end <= due.end); behind = end; }
                    Step::GiveUp(given_up, attempts) => {
                        prop_assert_eq!(attempts, attempts_max);
                        prop_assert_eq!(&given_up, &due);
                        behind = given_up.end;
                    }
                    Step::Again(_) => {}
                }
            }
            prop_assert_eq!(behind, records);
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
    fn without_splitting_a_failed_batch_is_given_up_whole() {
        let mut plan = Plan::new(8, &mapping(2, false));
        assert_eq!(plan.answered(Answer::None), Step::Again(1));
        assert_eq!(plan.answered(Answer::None), Step::GiveUp(0..8, 2));
        assert_eq!(plan.due(), None);
    }

    #[test]
    fn progress_gives_the_next_record_all_its_attempts() {
        let mut plan = Plan::new(8, &mapping(2, true));
        assert_eq!(plan.answered(Answer::Before(0)), Step::Again(1));
        assert_eq!(plan.answered(Answer::Before(3)), Step::Handled(3));
        assert_eq!(plan.answered(Answer::Before(3)), Step::Again(1));
        assert_eq!(plan.answered(Answer::Before(3)), Step::GiveUp(3..8, 2));
    }
}
