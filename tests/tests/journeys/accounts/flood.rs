//! More concurrent sign-ins than the machine can check.

use futures::future::join_all;
use serde_json::json;

use crate::place::Place;

const SIGN_INS: usize = 400;

/// The memory that the process may keep: the connections' buffers, and one hash on each of a few cores.
const KEPT_MAX_KIB: u64 = 200 * 1024;

#[tokio::test]
async fn a_flood_of_sign_ins_is_refused_at_once_and_leaves_no_memory_in_use() {
    let place = Place::new();
    let server = place.serve(&[("WAITLIST_LIMITS", "sign-in-address=1000000/1h")]).await;
    let sign_in = async |number: usize| {
        let body = json!({ "email": format!("ana{number}@example.com"), "password": "correct horse battery staple" });
        server.send(None, "POST", "/v1/sessions", Some(&body), &[]).await.unwrap()
    };
    assert_eq!(sign_in(0).await.status, 401);
    let before = server.resident_kib();
    let answers = join_all((1..=SIGN_INS).map(sign_in)).await;
    for answer in &answers {
        match answer.status {
            401 => {}
            503 => assert_eq!(answer.header("retry-after"), "1"),
            status => panic!("{status}: {answer:?}"),
        }
    }
    assert!(answers.iter().any(|answer| answer.status == 401), "the sign-ins in the queue are checked");
    assert_eq!(sign_in(0).await.status, 401, "the queue is empty again");
    if let (Some(before), Some(after)) = (before, server.resident_kib()) {
        assert!(after < before + KEPT_MAX_KIB, "{before} KiB before, {after} KiB after");
    }
    assert_eq!(server.interrupt().await, Some(0));
}
