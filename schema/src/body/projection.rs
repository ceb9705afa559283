//! Bodies about projections, their rebuilds, and dead letters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Actor, Problem, Time,
    check::Check,
    projection::{Name, Promote, Report, Stage},
    sealed::Personal as _,
    value::{Invalid, Reason, Whole, WriteUnits},
};

/// The body of POST /v1/projections/{name}/rebuilds.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRebuild {
    /// Whether the rebuild is only estimated.
    #[schemars(extend("default" = false))]
    pub dry_run: Option<bool>,
    /// The promotion of the verified rows: at once, or by an operator.
    #[schemars(with = "Option<Promote>", extend("default" = "auto"))]
    pub promote: Option<String>,
    /// The bound on the write units that the rebuild consumes in a second, indexes included.
    #[schemars(with = "Option<WriteUnits>")]
    pub write_units_per_second: Option<Whole>,
    /// The reason, which is stored in clear: it must name nobody.
    #[schemars(with = "Option<Reason>")]
    pub reason: Option<String>,
}

/// A request for a rebuild, its values checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RebuildWish {
    /// Whether the rebuild is only estimated.
    pub dry_run: bool,
    pub promote: Promote,
    pub write_units_per_second: Option<u32>,
    pub reason: Option<String>,
}

impl StartRebuild {
    /// # Errors
    /// A value is not allowed; the problem names each.
    pub fn parse(self) -> Result<RebuildWish, Problem> {
        let mut check = Check::default();
        let promote = check.optional("/promote", self.promote, |raw| promote(&raw));
        let units = check.optional("/write_units_per_second", self.write_units_per_second, WriteUnits::read);
        let reason = check.optional("/reason", self.reason, |raw| Reason::parse(&raw));
        check.done(Some(RebuildWish {
            dry_run: self.dry_run.unwrap_or_default(),
            promote: promote.unwrap_or_default(),
            write_units_per_second: units.map(WriteUnits::get),
            reason: reason.map(|reason| reason.clear().to_owned()),
        }))
    }
}

fn promote(raw: &str) -> Result<Promote, Invalid> {
    match raw {
        "auto" => Ok(Promote::Auto),
        "manual" => Ok(Promote::Manual),
        _ => Err(Invalid("must be auto or manual".to_owned())),
    }
}

/// A projection with its generations.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Projection {
    pub name: Name,
    /// The generation that reads are served from.
    pub live: u64,
    /// The generation of the unfinished rebuild.
    pub building: Option<u64>,
    /// The generation before the live one, while it is kept for a rollback.
    pub previous: Option<u64>,
    /// The version of the server's code.
    pub code_version: &'static str,
    /// The version of the rows that this code writes.
    pub row_version: u32,
    /// The rows that the rebuild of the live generation wrote; null if the server no longer remembers it, or there was none.
    pub rows: Option<u64>,
    /// The age of the oldest event that the rows do not show; null if it is not measured.
    pub lag_seconds: Option<u64>,
    /// The last rebuild.
    pub rebuild: Option<Rebuild>,
}

/// A rebuild of a projection.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Rebuild {
    pub id: Uuid,
    pub projection: Name,
    /// The generation that it makes.
    pub generation: u64,
    pub state: Stage,
    pub requested_by: Actor,
    pub requested_at: Time,
    pub finished_at: Option<Time>,
    pub reason: Option<String>,
    pub promote: Promote,
    pub write_units_per_second: Option<u32>,
    pub segments: Progress,
    /// Commits that were read, of all streams.
    pub commits: u64,
    /// Rows that were written.
    pub rows: u64,
    /// The commits read in a second since scanning began; null unless the log is being scanned.
    pub commits_per_second: Option<u64>,
    pub units: Units,
    /// The seconds until all segments are finished, at the pace so far; null if it cannot be told.
    pub eta_seconds: Option<u64>,
    /// The differences that verification found; null before it.
    pub report: Option<Report>,
}

/// Segments of the log and of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RebuildProgress")]
pub struct Progress {
    pub done: u32,
    /// Zero until the table of the generation exists.
    pub of: u32,
}

/// The day on which the prices of AWS were noted: here, in [`READ_MILLION_DOLLARS`] and [`WRITE_MILLION_DOLLARS`], and in
/// `infra/docs/costs.md`.
pub const PRICED_ON: &str = "2026-11-30";

/// On-demand prices in US East (N. Virginia), in dollars per million units.
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>
pub const READ_MILLION_DOLLARS: f64 = 0.125;
pub const WRITE_MILLION_DOLLARS: f64 = 0.625;

/// The estimate of a rebuild, from a sample of the streams.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Quote {
    /// Commits in the log, of all streams: a rebuild reads all of them.
    pub commits: u64,
    /// The size of these commits.
    pub bytes: u64,
    /// Reads of the log, and of both generations for the verification.
    pub read_units: u64,
    /// Writes of the new rows, indexes included.
    pub write_units: u64,
    /// The price of these units, on demand in US East (N. Virginia).
    pub dollars: f64,
    /// The date on which the prices were noted.
    #[schemars(extend("format" = "date"))]
    pub priced_on: &'static str,
    /// The time that a deployment's workers take, about.
    pub seconds: u64,
    /// The read units that the sample used. They are not part of the estimate.
    pub sample_read_units: u64,
}

/// Units that were consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Units {
    pub read: u64,
    pub write: u64,
}

/// Work that failed too often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeadLetter {
    pub id: Uuid,
    pub queue: &'static str,
    /// The stream that the work is about; null if the message does not name one.
    pub stream: Option<String>,
    /// The generation whose row could not be written; null if the message does not name one.
    pub generation: Option<String>,
    pub cause: Option<String>,
    /// The number of attempts. SQS counts each listing as well.
    pub attempts: u32,
    /// The time at which the work was queued.
    pub first_at: Time,
    /// The time at which it was given up; null with SQS, which does not tell.
    pub last_at: Option<Time>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check, problem::Place};

    fn parsed(body: &str) -> Result<RebuildWish, Problem> {
        check::json::<StartRebuild>(body.as_bytes())?.parse()
    }

    #[test]
    fn each_wrong_value_of_a_request_is_named() {
        let refused = parsed(r#"{"promote":"later","write_units_per_second":0,"reason":" "}"#).unwrap_err();
        let named: Vec<Place> = refused.errors.into_iter().map(|fault| fault.at).collect();
        let fields = ["/promote", "/write_units_per_second", "/reason"];
        assert_eq!(named, fields.map(|field| Place::Pointer(field.to_owned())));
        assert!(parsed(r#"{"write_units_per_second":1000001}"#).is_err());
    }

    #[test]
    fn an_empty_request_is_promoted_automatically_and_has_no_bound() {
        assert_eq!(parsed("").unwrap(), RebuildWish::default());
        let all = parsed(
            r#"{"dry_run":true,"promote":"manual","write_units_per_second":1000000,"reason":"a new field"}"#,
        );
        let wish = RebuildWish {
            dry_run: true,
            promote: Promote::Manual,
            write_units_per_second: Some(1_000_000),
            reason: Some("a new field".to_owned()),
        };
        assert_eq!(all.unwrap(), wish);
    }
}
