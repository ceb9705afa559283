//! Well-formed requests that cannot be carried out.

use serde_json::json;
use waitlist_tests::stage::Stage;

use super::{JSON, NO_SUCH_ID, Scene, list, party};

#[tokio::test]
async fn a_move_must_name_exactly_one_other_party_of_the_same_board() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let path = scene.ana("/move");
    let (ana, ben) = (&scene.ana, &scene.ben);
    for (body, expected) in [
        (json!({}), (422, "invalid-value", "pointer:")),
        (json!({ "before": ben, "after": ben }), (422, "invalid-value", "pointer:")),
        (json!({ "before": null, "after": null }), (422, "invalid-value", "pointer:")),
        (json!({ "before": ana }), (422, "invalid-value", "pointer:/before")),
        (json!({ "after": ana }), (422, "invalid-value", "pointer:/after")),
        (json!({ "after": "the tall one" }), (422, "invalid-value", "pointer:/after")),
        (json!({ "after": ben, "reason": "" }), (422, "invalid-value", "pointer:/reason")),
        (json!({ "after": NO_SUCH_ID }), (409, "not-on-board", "")),
        (json!({ "after": scene.list }), (409, "not-on-board", "")),
    ] {
        scene.refuses_body("POST", &path, &body.to_string(), expected).await;
    }
    let elsewhere = scene.owner.list("Bar").await;
    let eve = scene.owner.join(&elsewhere, "Eve").await;
    scene.refuses_body("POST", &path, &json!({ "after": eve }).to_string(), (409, "not-on-board", "")).await;
    let stranger = stage.owner();
    let hidden = stranger.join(&stranger.list("Not yours").await, "Zoe").await;
    scene
        .refuses_body("POST", &path, &json!({ "after": hidden }).to_string(), (409, "not-on-board", ""))
        .await;
}

#[tokio::test]
async fn a_stale_if_match_and_a_reused_key_change_nothing() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let keyed = [JSON, ("Idempotency-Key", "first")];
    let called = scene.send("POST", &scene.ana("/call"), "", &keyed).await;
    assert_eq!((called.status, called.header("etag")), (202, "\"2\""));
    for tag in ["\"1\"", "\"3\"", "\"1.0123456789abcdef0123456789abcdef\"", "\"0\""] {
        scene
            .refuses("POST", &scene.ana("/seat"), "", &[("If-Match", tag)], (412, "precondition-failed", ""))
            .await;
    }
    for tag in ["\"1\"", "\"3\""] {
        scene
            .refuses(
                "POST",
                &scene.visit("/leave"),
                "",
                &[("If-Match", tag)],
                (412, "precondition-failed", ""),
            )
            .await;
    }
    scene.refuses("POST", &scene.ana("/seat"), "", &keyed, (422, "idempotency-key-reused", "")).await;
    let again = scene.send("POST", &scene.ana("/call"), " {}", &keyed).await;
    assert_eq!((again.status, again.body), (202, called.body), "the same content");

    let made = scene.send("POST", "/v1/waitlists", &list(json!({})), &keyed).await;
    let joined = scene.send("POST", &scene.parties, &party(json!({})), &keyed).await;
    assert_eq!((made.status, joined.status), (201, 201));
    scene
        .refuses(
            "POST",
            "/v1/waitlists",
            &list(json!({ "name": "Other" })),
            &keyed,
            (422, "idempotency-key-reused", ""),
        )
        .await;
    scene
        .refuses(
            "POST",
            &scene.parties,
            &party(json!({ "name": "Other" })),
            &keyed,
            (422, "idempotency-key-reused", ""),
        )
        .await;
}

#[tokio::test]
async fn a_refused_transition_answers_the_state_and_the_allowed_transitions() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    scene.refuses("POST", &scene.ana("/confirm"), "", &[], (409, "invalid-transition", "")).await;
    assert_eq!(scene.owner.post(&scene.ana("/seat"), json!({})).await.status, 200);
    for action in ["/call", "/confirm", "/no-show", "/leave", "/remove"] {
        scene.refuses("POST", &scene.ana(action), "", &[], (409, "invalid-transition", "")).await;
        let answer = scene.send("POST", &scene.ana(action), "", &[]).await;
        assert_eq!(
            (&answer.body["state"], &answer.body["allowed"]),
            (&json!("seated"), &json!(["restore"])),
            "{action}"
        );
    }
    scene
        .refuses_body(
            "POST",
            &scene.ana("/move"),
            &json!({ "after": scene.ben }).to_string(),
            (409, "invalid-transition", ""),
        )
        .await;
    let path = format!("/v1/waitlists/{}", scene.list);
    scene.refuses("DELETE", &path, "", &[], (409, "waitlist-open", "")).await;
}
