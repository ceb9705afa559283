//! The progress of rebuilds as metrics.

use infra::{
    Backend,
    generations::Progress,
    telemetry::metrics::{REBUILD_AGE, REBUILD_SEGMENTS, REBUILD_SEGMENTS_DONE},
};
use schema::{
    Time,
    projection::{Name, Stage},
};

/// Observes the rebuilds under way. Observes nothing if the set of generations cannot be read; the look then fails for the
/// same reason, and its failure is logged.
pub(super) async fn observe(backend: &Backend, now: Time) {
    let Ok(set) = backend.rows.generations().current().await else { return };
    let mut oldest_s = 0;
    for name in Name::ALL {
        let progress = set.progress(name);
        let of = |part: fn(&Progress) -> u64| progress.as_ref().map_or(0, part);
        REBUILD_SEGMENTS_DONE.set(of(|progress| progress.done), [name.as_str()]);
        REBUILD_SEGMENTS.set(of(|progress| progress.of), [name.as_str()]);
        oldest_s = oldest_s.max(progress.map_or(0, |progress| age_s(&progress, now)));
    }
    REBUILD_AGE.set(oldest_s, []);
}

/// The seconds since the last event of a rebuild. 0 for one that is ready: it may wait for an operator.
fn age_s(progress: &Progress, now: Time) -> u64 {
    match progress.stage {
        Stage::Requested | Stage::Prepared | Stage::Scanning | Stage::Verifying => {
            u64::try_from((now.millis() - progress.at.millis()) / 1_000).unwrap_or(0)
        }
        Stage::Ready | Stage::Promoted | Stage::Rejected | Stage::Cancelled | Stage::RolledBack => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebuild_ages_while_its_workers_have_something_to_do() {
        let at = Time::from_millis(1_800_000_000_000);
        let age = |stage, later_ms| age_s(&Progress { stage, done: 3, of: 64, at }, at.plus_millis(later_ms));
        assert_eq!(
            [Stage::Requested, Stage::Scanning, Stage::Verifying].map(|stage| age(stage, 3_601_000)),
            [3_601; 3]
        );
        assert_eq!(age(Stage::Scanning, -5_000), 0, "the clock was set back");
        assert_eq!(age(Stage::Ready, 3_601_000), 0, "it may wait for an operator");
    }
}
