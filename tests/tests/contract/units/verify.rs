//! The units of verifications.

use waitlist_tests::{
    costs::documented,
    meter::Used,
    stage::{Owner, Stage},
};

use super::{typical_join, visit};

pub(super) const VISITS: usize = 30;

/// Makes a list with visits of one business day, each called and seated, and their rows.
pub(super) async fn evening(stage: &Stage, owner: &Owner<'_>) -> (String, String) {
    let list = owner.list("Main room").await;
    let mut last = String::new();
    for _ in 0..VISITS {
        last = typical_join(owner, &list).await;
        for action in ["call", "seat"] {
            owner.post(&format!("/v1/waitees/{last}/{action}"), serde_json::json!({})).await;
        }
        stage.project(visit(&last)).await;
    }
    (list, last)
}

async fn verified(stage: &Stage, owner: &Owner<'_>, query: &str, streams: usize) -> Used {
    let _before = stage.meter.take();
    let answer = owner.get(&format!("/v1/audit/verify{query}")).await;
    let used = stage.meter.take();
    assert_eq!((answer.status, &answer.body["ok"]), (200, &true.into()), "{answer:?}");
    assert_eq!((&answer.body["streams"], &answer.body["next"]), (&streams.into(), &serde_json::Value::Null));
    used
}

#[tokio::test]
async fn a_verification_reads_each_stream_and_its_row_once() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    owner.registered("Ana", "ana@example.com").await;
    let (list, last) = evening(&stage, &owner).await;
    let one = verified(&stage, &owner, &format!("?stream=waitee-{last}"), 1).await;
    documented(&stage, "verifying one visit", &one);
    let of_list = verified(&stage, &owner, &format!("?waitlist={list}"), VISITS + 1).await;
    documented(&stage, "verifying a list of one day, with 30 visits of three commits", &of_list);
    let of_account = verified(&stage, &owner, "", VISITS + 3).await;
    documented(&stage, "verifying an account of one month, with 30 visits of three commits", &of_account);
}
