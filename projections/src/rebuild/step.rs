//! The steps of a rebuild, as messages of a queue. A message may come twice, in any order, and late: each step looks
//! at the state first.

use std::time::Duration;

use infra::{
    generations::HAND_OVER,
    work::{Part, Step},
};
use schema::{
    Time,
    projection::{Phase, Promote, Rebuild, Stage, State},
};
use uuid::Uuid;

/// The segments of a rebuild that are queued at a time. A finished one queues the one that is as many further.
pub(super) const SEGMENTS_AT_ONCE: u32 = 64;

/// The commits of a segment, about.
const SEGMENT_COMMITS: u64 = 10_000;
/// The commits in the log for each segment of the row tables, about.
const SEGMENT_VERIFIED_COMMITS: u64 = 4_000;
const SCANS_MIN: u64 = 64;
/// The state of a projection holds a bit for each segment.
pub(super) const SEGMENTS_MAX: u32 = 4_096;
const VERIFICATIONS_MIN: u64 = 16;

/// A step and the time until it may be taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Due {
    pub(super) step: Step,
    pub(super) delay: Duration,
}

/// The steps that follow from a state. Segments that were begun continue by themselves.
pub(super) fn due(state: &State, now: Time) -> Vec<Due> {
    let mut due: Vec<Due> = state
        .retired
        .iter()
        .map(|retired| Due {
            step: Step::Drop { generation: retired.generation },
            delay: left(retired.at, now),
        })
        .collect();
    if let Some(rebuild) = state.building() {
        due.extend(steps(rebuild, now));
    }
    due
}

/// Whether a step of a projection is due.
#[must_use]
pub fn has_due_step(state: &State, now: Time) -> bool {
    !due(state, now).is_empty()
}

fn steps(rebuild: &Rebuild, now: Time) -> Vec<Due> {
    let id = rebuild.id;
    let at_once = |step| vec![Due { step, delay: Duration::ZERO }];
    match rebuild.stage {
        Stage::Requested => at_once(Step::Prepare { rebuild: id }),
        Stage::Prepared => {
            let delay = rebuild.prepared_at.map_or(HAND_OVER, |at| left(at, now));
            vec![Due { step: Step::Begin { rebuild: id, phase: Phase::Scan }, delay }]
        }
        Stage::Verifying if rebuild.verified.finished() == 0 => {
            at_once(Step::Begin { rebuild: id, phase: Phase::Verify })
        }
        Stage::Ready if rebuild.promote == Promote::Auto && rebuild.report.drift == 0 => {
            at_once(Step::Conclude { rebuild: id })
        }
        Stage::Scanning
        | Stage::Verifying
        | Stage::Ready
        | Stage::Promoted
        | Stage::Rejected
        | Stage::Cancelled
        | Stage::RolledBack => vec![],
    }
}

/// The numbers of segments of the log and of the rows for a log of this many commits. Segments of the log are longer in a
/// log of more than 40 million commits, and those of the rows in one of more than 16 million.
pub(super) fn segments(commits: u64) -> (u32, u32) {
    let of = |size: u64, least: u64| {
        u32::try_from((commits / size).clamp(least, SEGMENTS_MAX.into())).unwrap_or(SEGMENTS_MAX)
    };
    (of(SEGMENT_COMMITS, SCANS_MIN), of(SEGMENT_VERIFIED_COMMITS, VERIFICATIONS_MIN))
}

/// The step that begins a segment.
pub(super) fn first(rebuild: Uuid, phase: Phase, segment: u32) -> Step {
    match phase {
        Phase::Scan => Step::Scan { rebuild, part: Part::whole(segment) },
        Phase::Verify => Step::Verify { rebuild, part: Part::whole(segment) },
    }
}

/// The time until every process knows of a change of roles at the time `at`.
pub(super) fn left(at: Time, now: Time) -> Duration {
    let passed = u64::try_from(now.millis() - at.millis()).unwrap_or(0);
    HAND_OVER.saturating_sub(Duration::from_millis(passed))
}
