//! The bodies that show projections and their rebuilds.

use infra::generations::HAND_OVER;
use schema::{
    Time,
    body::projection::{Progress, Projection as Shown, Rebuild as ShownRebuild, Units},
    projection::{Name, Rebuild, Report, Stage},
};

use super::Projection;
use crate::{dispatch::of_projection, projection::Projection as _};

/// A projection at a time.
#[must_use]
pub fn projection(name: Name, of: &Projection, now: Time) -> Shown {
    let state = &of.state;
    Shown {
        name,
        live: state.live,
        building: state.building().map(|rebuild| rebuild.generation),
        previous: state.previous.map(|previous| previous.generation),
        code_version: env!("CARGO_PKG_VERSION"),
        row_version: of_projection!(name, P => P::VERSION),
        rows: state
            .rebuilds
            .iter()
            .find(|rebuild| rebuild.generation == state.live)
            .map(|rebuild| rebuild.done.rows),
        lag_seconds: None,
        rebuild: state.rebuilds.last().map(|last| rebuild(name, last, now)),
    }
}

/// A rebuild at a time.
#[must_use]
pub fn rebuild(name: Name, rebuild: &Rebuild, now: Time) -> ShownRebuild {
    ShownRebuild {
        id: rebuild.id,
        projection: name,
        generation: rebuild.generation,
        state: rebuild.stage,
        requested_by: rebuild.requested_by,
        requested_at: rebuild.requested_at,
        finished_at: rebuild.finished_at,
        reason: rebuild.reason.clone(),
        promote: rebuild.promote,
        write_units_per_second: rebuild.write_units_per_second,
        segments: segments(rebuild),
        commits: rebuild.done.commits,
        rows: rebuild.done.rows,
        commits_per_second: commits_per_second(rebuild, now),
        units: Units { read: rebuild.done.read_units, write: rebuild.done.write_units },
        eta_seconds: eta_seconds(rebuild, now),
        report: is_judged(rebuild).then(|| rebuild.report.clone()),
    }
}

fn segments(rebuild: &Rebuild) -> Progress {
    Progress {
        done: rebuild.scanned.finished() + rebuild.verified.finished(),
        of: rebuild.scanned.of() + rebuild.verified.of(),
    }
}

/// The pace of scanning.
fn commits_per_second(rebuild: &Rebuild, now: Time) -> Option<u64> {
    let passed_ms = elapsed_ms(rebuild, now).filter(|_| rebuild.stage == Stage::Scanning)?;
    Some(rebuild.done.commits.saturating_mul(1_000) / passed_ms)
}

/// The seconds until all segments are finished, at the pace since scanning began.
fn eta_seconds(rebuild: &Rebuild, now: Time) -> Option<u64> {
    let Progress { done, of } = segments(rebuild);
    match rebuild.stage {
        Stage::Scanning | Stage::Verifying if done > 0 => {
            let left_ms = elapsed_ms(rebuild, now)? * u64::from(of - done) / u64::from(done);
            Some(left_ms.div_ceil(1_000))
        }
        Stage::Scanning
        | Stage::Verifying
        | Stage::Requested
        | Stage::Prepared
        | Stage::Ready
        | Stage::Promoted
        | Stage::Rejected
        | Stage::Cancelled
        | Stage::RolledBack => None,
    }
}

/// The time since scanning began, a hand-over after the table existed; never zero.
fn elapsed_ms(rebuild: &Rebuild, now: Time) -> Option<u64> {
    let passed = u64::try_from(now.millis() - rebuild.prepared_at?.millis()).unwrap_or(0);
    let waited = u64::try_from(HAND_OVER.as_millis()).unwrap_or(u64::MAX);
    Some(passed.saturating_sub(waited).max(1))
}

/// Whether there is something to report: all rows are compared, or a difference was found before that.
fn is_judged(rebuild: &Rebuild) -> bool {
    match rebuild.stage {
        Stage::Ready | Stage::Promoted | Stage::Rejected | Stage::RolledBack => true,
        Stage::Requested | Stage::Prepared | Stage::Scanning | Stage::Verifying | Stage::Cancelled => {
            rebuild.report != Report::default()
        }
    }
}
