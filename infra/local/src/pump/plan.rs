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
