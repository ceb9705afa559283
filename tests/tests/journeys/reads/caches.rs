//! Caches: the headers that allow them, and answers that the server keeps for a second.

use schema::route::{ROUTES, Reads, Route};
use serde_json::json;
use waitlist_tests::stage::{Answer, Owner, Stage, send};

use super::feed;

const BODY_BYTES_MAX: usize = 1_024;

/// Reads a path without an access token.
async fn read(stage: &Stage, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(&stage.backend, None, "GET", path, None, headers).await
}

fn door(list: &str) -> String {
    format!("/v1/public/waitlists/{list}")
}

async fn rename(owner: &Owner<'_>, list: &str, name: &str) -> Answer {
    owner.send("PATCH", &format!("/v1/waitlists/{list}"), Some(&json!({ "name": name })), &[]).await
}

#[tokio::test]
async fn only_public_answers_without_a_sync_token_may_be_kept_by_shared_caches() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    owner.registered("Ana", "ana@example.com").await;
    let list = owner.list("Main room").await;
    let party = owner.join(&list, "Ana").await;
    feed(&stage).await;
    let token = stage.links().visit_token(party.parse().unwrap());
    for entry in ROUTES.iter().filter(|entry| entry.method == "GET") {
        let (wanted, vary) = match entry.path {
            "/v1/public/waitlists/{id}" => ("public, max-age=1", "Origin, Sync-Token"),
            "/v1/openapi.json" | "/.well-known/jwks.json" => ("public, max-age=60", "Origin, Sync-Token"),
            "/v1/public/visits/{token}" | "/healthz" => ("no-store", ""),
            _ => ("private, no-cache", ""),
        };
        let id = if entry.path.starts_with("/v1/waitees") { &party } else { &list };
        let path = entry.path.replace("{id}", id).replace("{token}", &token).replace("{name}", "waitees");
        let answer = owner.get(&path).await;
        let headers =
            |answer: &Answer| [answer.header("cache-control"), answer.header("vary")].map(str::to_owned);
        assert_eq!(headers(&answer), [wanted, vary], "{path}: {answer:?}");
        let is_export = matches!(entry.route, Route::Exports(_)); // each one differs
        if !answer.header("etag").is_empty() && !is_export {
            let same = owner.send("GET", &path, None, &[("If-None-Match", answer.header("etag"))]).await;
            assert_eq!((same.status, headers(&same)), (304, headers(&answer)), "{path}");
        }
        if entry.route == Route::Reads(Reads::PublicWaitlist) {
            let made = format!("waitlist-{list}@1");
            let answer = owner.send("GET", &path, None, &[("Sync-Token", &made)]).await;
            assert_eq!(
                (answer.status, headers(&answer)),
                (200, ["private, no-cache", ""].map(str::to_owned))
            );
        }
    }
    for path in [door(&party), "/v1/public/visits/x".to_owned(), "/v1/nothing".to_owned()] {
        let missing = read(&stage, &path, &[]).await;
        assert_eq!((missing.status, missing.header("cache-control")), (404, "private, no-cache"), "{path}");
    }
}

#[tokio::test]
async fn a_list_as_guests_see_it_shows_a_change_after_a_second_or_with_its_sync_token() {
    let stage = Stage::new().await;
    let (owner, other) = (stage.owner(), stage.owner());
    let (list, of_other) = (owner.list("Main room").await, other.list("Terrace").await);
    feed(&stage).await;
    let name = async |list: &str, headers: &[(&str, &str)]| {
        let answer = read(&stage, &door(list), headers).await;
        (answer.status, answer.body["name"].as_str().unwrap_or_default().to_owned())
    };
    let is = |name: &str| (200, name.to_owned());
    assert_eq!((name(&list, &[]).await, name(&of_other, &[]).await), (is("Main room"), is("Terrace")));
    let renamed = rename(&owner, &list, "Garden").await;
    assert_eq!(name(&list, &[("Sync-Token", renamed.header("sync-token"))]).await, is("Garden"));
    assert_eq!(name(&list, &[]).await, is("Main room"), "an answer to a Sync-Token is not kept for others");
    feed(&stage).await;
    stage.backend.clock.advance_millis(999);
    assert_eq!(name(&list, &[]).await, is("Main room"));
    let wrong = name(&list, &[("Sync-Token", &format!("waitlist-{list}@9"))]).await;
    assert_eq!(wrong.0, 400, "tokens are checked although an answer is kept");
    stage.backend.clock.advance_millis(1);
    assert_eq!((name(&list, &[]).await, name(&of_other, &[]).await), (is("Garden"), is("Terrace")));

    let absent = "01920000-0000-7000-8000-00000000000b";
    assert_eq!(name(absent, &[]).await.0, 404);
    let closed = owner.post(&format!("/v1/waitlists/{list}/close"), json!({})).await;
    let deleted = owner.send("DELETE", &format!("/v1/waitlists/{list}"), None, &[]).await;
    assert_eq!((closed.status, deleted.status), (200, 204));
    feed(&stage).await;
    stage.backend.clock.advance_millis(1_000);
    assert_eq!(name(&list, &[]).await.0, 404);
}

#[tokio::test]
async fn a_kept_answer_is_short() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list_with(json!({ "name": "\u{1d11e}".repeat(100), "time_zone": "America/Argentina/ComodRivadavia", "quote_minutes": 600 })).await;
    feed(&stage).await;
    let answer = read(&stage, &door(&list), &[]).await;
    assert!(answer.status == 200 && answer.body.to_string().len() < BODY_BYTES_MAX, "{answer:?}");
}
