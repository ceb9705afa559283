//! Invalid paths, methods, query parameters and headers.

use serde_json::json;
use waitlist_tests::stage::Stage;

use super::{JSON, NO_SUCH_ID, Scene, list, party};

#[tokio::test]
async fn an_unknown_path_is_404_and_an_unsupported_method_405() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    for id in ["7", "not-a-uuid", "%00", NO_SUCH_ID, "{id}", &scene.ana.replace('-', ""), "..", &scene.list] {
        for (method, path) in [
            ("GET", format!("/v1/waitees/{id}")),
            ("GET", format!("/v1/waitees/{id}/history")),
            ("PATCH", format!("/v1/waitees/{id}")),
            ("POST", format!("/v1/waitees/{id}/seat")),
        ] {
            scene.refuses_body(method, &path, "", (404, "not-found", "")).await;
        }
    }
    for id in ["7", "not-a-uuid", "%00", NO_SUCH_ID, &scene.ana] {
        scene.refuses("GET", &format!("/v1/public/waitlists/{id}"), "", &[], (404, "not-found", "")).await;
        let join = party(json!({}));
        scene
            .refuses_body(
                "POST",
                &format!("/v1/public/waitlists/{id}/waitees"),
                &join,
                (404, "not-found", ""),
            )
            .await;
    }
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/v1"),
        ("GET", "/v1/waitlists/"),
        ("POST", "/v1/waitees"),
        ("GET", "//v1/waitlists"),
        ("GET", "/V1/waitlists"),
        ("GET", "/v2/waitlists"),
        ("POST", "/v1/waitlists/extra/open/more"),
    ] {
        scene.refuses(method, path, "", &[], (404, "not-found", "")).await;
    }
    for (method, path, allow) in [
        ("PUT", "/v1/waitlists".to_owned(), "POST, GET, HEAD"),
        ("DELETE", scene.ana(""), "GET, HEAD, PATCH"),
        ("GET", scene.ana("/seat"), "POST"),
        ("GET", scene.door(), "POST"),
        ("DELETE", scene.visit(""), "GET, HEAD"),
        ("PUT", "/v1/me".to_owned(), "GET, HEAD, PATCH"),
        ("get", "/healthz".to_owned(), "GET, HEAD"),
    ] {
        scene.refuses(method, &path, "", &[], (405, "method-not-allowed", "")).await;
        assert_eq!(scene.send(method, &path, "", &[]).await.header("allow"), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn a_query_parameter_must_be_known_given_once_and_in_bounds() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let (parties, history) = (&scene.parties, scene.ana("/history"));
    for limit in ["0", "201", "-1", "ten", "1.5", "", "99999999999999999999999", "%2B5", "05", "5%20"] {
        for path in [parties, "/v1/waitlists", &history] {
            scene.refuses_query(&format!("{path}?limit={limit}"), "parameter:limit").await;
        }
    }
    for path in [parties, "/v1/waitlists", &history, &scene.ana("")] {
        scene.refuses_query(&format!("{path}?colour=red"), "parameter:colour").await;
        scene
            .refuses_query(
                &format!("{path}?limit=5&Limit=5"),
                if *path == scene.ana("") { "parameter:limit" } else { "parameter:Limit" },
            )
            .await;
    }
    scene.refuses_query(&format!("{parties}?limit=5&limit=5"), "parameter:limit").await;
    for day in [
        "today",
        "2026-13-01",
        "2026-02-30",
        "",
        "2026-11-20T00:00:00Z",
        "2026-1-2",
        "2026-11-9",
        "2026-1-020",
        "+2026-11-20",
        "%2B12026-11-20",
    ] {
        scene.refuses_query(&format!("{parties}?day={day}"), "parameter:day").await;
    }
    // A cursor holds a place and the kind of page it belongs to. In a history the place is a number.
    for place in ["h+1", "h01", "h-1", "h1.0", "h 1", "hx"] {
        let cursor = data_encoding::BASE64URL_NOPAD.encode(place.as_bytes());
        scene.refuses_query(&format!("{history}?cursor={cursor}"), "parameter:cursor").await;
    }
    for cursor in ["garbage", "", "%ff", "YQ", "!!!!"] {
        scene.refuses_query(&format!("{parties}?cursor={cursor}"), "parameter:cursor").await;
    }
    let of_history = scene.owner.send("POST", &scene.ana("/call"), None, &[]).await;
    assert_eq!(of_history.status, 202, "{of_history:?}");
    let page = scene.owner.get(&format!("{history}?limit=1")).await;
    let next = page.body["next"].as_str().unwrap_or_else(|| panic!("no next in {page:?}"));
    for path in [parties.clone(), format!("{parties}?day=2026-11-20"), "/v1/waitlists".into()] {
        let glue = if path.contains('?') { '&' } else { '?' };
        scene.refuses_query(&format!("{path}{glue}cursor={next}"), "parameter:cursor").await;
    }
    scene.refuses_query("/v1/me?limit=5", "parameter:limit").await;
    scene.owner.registered("Ana", "ana@example.com").await;
    scene.refuses_query("/v1/me/history?limit=0", "parameter:limit").await;
    scene.refuses_query(&format!("/v1/me/history?cursor={}", "YQ"), "parameter:cursor").await;
    for path in [scene.visit(""), format!("/v1/public/waitlists/{}", scene.list)] {
        scene.refuses_query(&format!("{path}?limit=5"), "parameter:limit").await;
    }
    // Writes take no query parameters.
    for path in [scene.visit("/leave"), scene.door()] {
        scene
            .refuses(
                "POST",
                &format!("{path}?dry_run=true"),
                "",
                &[],
                (400, "invalid-parameter", "parameter:dry_run"),
            )
            .await;
    }
    scene
        .refuses(
            "POST",
            &format!("{}?dry_run=true", scene.ana("/seat")),
            "",
            &[],
            (400, "invalid-parameter", "parameter:dry_run"),
        )
        .await;
    scene.refuses("GET", "/healthz?deep=1", "", &[], (400, "invalid-parameter", "parameter:deep")).await;
}

#[tokio::test]
async fn a_malformed_header_is_refused_by_name() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    for tags in ["", "7", "\"7", "*, \"1\"", "w/\"1\"", "\"1\" \"2\""] {
        for (method, path) in
            [("POST", scene.ana("/seat")), ("POST", scene.parties.clone()), ("GET", scene.ana(""))]
        {
            if path == scene.parties {
                let at = (400, "invalid-parameter", "header:If-Match");
                scene.refuses(method, &path, &party(json!({})), &[JSON, ("If-Match", tags)], at).await;
            } else {
                scene.refuses_header(method, &path, "If-Match", tags).await;
            }
        }
    }
    let (long, fits) = ("k".repeat(129), "k".repeat(128));
    for key in ["", " ", &long, "a\tb", "a b", "schl\u{fc}ssel"] {
        scene.refuses_header("POST", &scene.ana("/seat"), "Idempotency-Key", key).await;
        let at = (400, "invalid-parameter", "header:Idempotency-Key");
        scene.refuses("POST", "/v1/waitlists", &list(json!({})), &[JSON, ("Idempotency-Key", key)], at).await;
        scene.refuses("POST", &scene.parties, &party(json!({})), &[JSON, ("Idempotency-Key", key)], at).await;
    }
    for key in ["", "a", &long, "0d1fb7a46c1c4b579f1e2f6ad2a0c00", "0d1fb7a4-6c1c-4b57-9f1e-2f6ad2a0c00g"] {
        let at = (400, "invalid-parameter", "header:Idempotency-Key");
        scene.refuses("POST", &scene.door(), &party(json!({})), &[JSON, ("Idempotency-Key", key)], at).await;
        scene.refuses_header("POST", &scene.visit("/leave"), "Idempotency-Key", key).await;
    }
    scene.refuses_header("POST", &scene.visit("/leave"), "If-Match", "seven").await;
    let twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")];
    scene
        .refuses(
            "POST",
            &scene.ana("/seat"),
            "",
            &twice,
            (400, "invalid-parameter", "header:Idempotency-Key"),
        )
        .await;
    let seventeen = vec![format!("waitee-{}@1", scene.ana); 17].join(", ");
    for tokens in [
        "garbage",
        "",
        "waitee-7@1",
        &format!("waitee-{}@0", scene.ana),
        &format!("waitee-{}@+1", scene.ana),
        &format!("waitee-{}@01", scene.ana),
        &format!("waitee-{}", scene.ana),
        &seventeen,
    ] {
        let door = format!("/v1/public/waitlists/{}", scene.list);
        for path in [&scene.parties, "/v1/waitlists", &scene.ana(""), "/v1/me", &scene.visit(""), &door] {
            scene.refuses_header("GET", path, "Sync-Token", tokens).await;
        }
    }
    assert_eq!(scene.send("POST", &scene.ana("/call"), "", &[("Idempotency-Key", &fits)]).await.status, 202);
}

#[tokio::test]
async fn tokens_of_foreign_streams_and_beyond_the_end_get_the_same_answer() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    scene.owner.registered("Ana", "ana@example.com").await;
    let stranger = stage.owner();
    let their_list = stranger.list("Not yours").await;
    let their_party = stranger.join(&their_list, "Zoe").await;
    let seated = scene.send("POST", &format!("/v1/waitees/{}/seat", scene.ben), "", &[]).await;
    assert_eq!(seated.status, 200, "{seated:?}");
    let (ana, ben, list) = (&scene.ana, &scene.ben, &scene.list);
    let foreign = [format!("waitlist-{their_list}@1"), format!("waitee-{their_party}@1")];
    let beyond = [format!("waitlist-{list}@2"), format!("waitee-{ana}@2"), format!("waitee-{ben}@3")];
    let none = ["user", "waitlist", "waitee"].map(|category| format!("{category}-{NO_SUCH_ID}@1"));
    let good = format!("waitlist-{list}@1, waitee-{ana}@1, waitee-{ben}@2");
    // The answer is the same on reads of each stream.
    for path in [
        "/v1/me".to_owned(),
        "/v1/me/history".to_owned(),
        "/v1/waitlists".to_owned(),
        format!("/v1/waitlists/{list}"),
        format!("/v1/waitlists/{list}/history"),
        scene.parties.clone(),
        format!("{}?day=2026-11-20", scene.parties),
        scene.ana(""),
        scene.ana("/history"),
        format!("/v1/waitees/{ben}"),
    ] {
        let mut answers = Vec::new();
        for token in foreign.iter().chain(&beyond).chain(&none) {
            scene.refuses_header("GET", &path, "Sync-Token", &format!("{good}, {token}")).await;
            let mut body = scene.send("GET", &path, "", &[("Sync-Token", token)]).await.body;
            body["request_id"].take();
            answers.push(body);
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{path}: {answers:?}");
        assert_eq!(scene.send("GET", &path, "", &[("Sync-Token", &good)]).await.status, 200, "{path}");
    }
}
