//! The units of erasures.

use reactors::erasure::forget;
use serde_json::json;
use waitlist_tests::{account::PASSWORD, costs::documented, stage::Stage};

use super::{reads, typical_join, units, visit};

#[tokio::test]
async fn forgetting_a_guest_reads_the_stream_twice_and_writes_a_tombstone_and_an_event() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = typical_join(&owner, &list).await;
    let _before = stage.meter.take();
    assert_eq!(owner.post(&format!("/v1/waitees/{ana}/erase"), json!({})).await.status, 202);
    assert_eq!(
        stage.meter.take().writes,
        units([("events", 1), ("events/audit", 1)]),
        "removed and erased in one commit"
    );
    forget(&stage.another(), visit(&ana)).await.unwrap();
    let used = stage.meter.take();
    assert_eq!(used.writes, units([("events", 1), ("events/audit", 1), ("vault", 1)]));
    documented(&stage, "forgetting a guest", &used);
    assert_eq!(used.calls, 4);
    if stage.counts_reads() {
        assert_eq!(used.reads, reads([("events", 2.0)]));
    }
    forget(&stage.another(), visit(&ana)).await.unwrap();
    let used = stage.meter.take();
    assert_eq!((used.writes, used.calls), (units([("vault", 1)]), 2), "a repeated message writes no event");
}

#[tokio::test]
async fn forgetting_an_account_also_opens_and_releases_its_address() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    assert_eq!(owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    let eraser = stage.another();
    let _before = stage.meter.take();
    forget(&eraser, owner.id.into()).await.unwrap();
    let used = stage.meter.take();
    assert_eq!(used.writes, units([("events", 1), ("events/audit", 1), ("vault", 2)]));
    documented(&stage, "forgetting an account and, with it, its guests", &used);
    assert_eq!(used.calls, 6);
    if stage.counts_reads() {
        assert_eq!(used.reads, reads([("events", 2.0), ("vault", 1.0)]));
    }
}
