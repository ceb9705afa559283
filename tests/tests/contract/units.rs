//! The capacity units of operations. Every test asserts all units: tables that are not named cost nothing.
//!
//! Write units are asserted on every engine. Read units are left out on ministack, which counts strongly
//! consistent reads as eventually consistent.

mod as_of;
mod audit;
mod bounds;
mod checkpoint;
mod commits;
mod erasure;
mod guests;
mod mails;
mod messages;
mod rebuilds;
mod rows;
mod start;
mod sweep;
mod verify;

use projections::feed::{self, Doorbell};
use schema::{StreamId, WaiteeId};
use serde_json::json;
use waitlist_tests::{
    costs::documented,
    meter::Units,
    stage::{Owner, Stage},
};

/// The largest item that costs one write unit.
const WRITE_UNIT_BYTES: usize = 1024;

/// Adds a party with a name, a phone number and a note of usual length. Returns its id.
async fn typical_join(owner: &Owner<'_>, list: &str) -> String {
    let body = json!({ "name": "Ana María González", "party_size": 4, "phone": "(415) 555-2671", "note": "high chair, by the window if possible" });
    let answer = owner.post(&format!("/v1/waitlists/{list}/waitees"), body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.id()
}

fn units<const N: usize>(units: [(&str, u32); N]) -> Units {
    units.into_iter().map(|(name, amount)| (name.to_owned(), f64::from(amount))).collect()
}

fn reads<const N: usize>(units: [(&str, f64); N]) -> Units {
    units
        .into_iter()
        .filter(|(_, amount)| *amount > 0.0)
        .map(|(name, amount)| (name.to_owned(), amount))
        .collect()
}

fn visit(id: &str) -> StreamId {
    id.parse::<WaiteeId>().unwrap().into()
}

/// Returns the write units of a doorbell for a stream's last commit. It reads one unit of the row's table.
async fn rung(stage: &Stage, stream: StreamId, row_table: &str, operation: &str) -> Units {
    let last = stage.commits(stream).await.pop().unwrap();
    let doorbell = Doorbell { stream, last: last.last, commits: vec![last] };
    let _before = stage.meter.take();
    feed::apply(&stage.backend, &doorbell).await.unwrap();
    let used = stage.meter.take();
    assert_eq!(used.calls, 2, "one read, one write");
    if stage.counts_reads() {
        assert_eq!(used.reads, reads([(row_table, 1.0)]));
    }
    documented(stage, &format!("a doorbell: {operation}"), &used);
    used.writes
}
