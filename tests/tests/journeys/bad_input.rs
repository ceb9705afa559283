//! What a client can get wrong, each in turn: the right refusal, pointing at the right place, and nothing stored.

mod arbitrary;
mod wire;

use infra::http::Principal;
use serde_json::{Value, json};
use waitlist_tests::stage::{Answer, Owner, Stage, send_bytes};

use crate::raw::census;

const JSON: (&str, &str) = ("content-type", "application/json");
const NO_SUCH_ID: &str = "01920000-0000-7000-8000-000000000000";

/// A list with two parties, and a way to send anything at all to it.
struct Scene<'s> {
    stage: &'s Stage,
    owner: Owner<'s>,
    list: String,
    parties: String,
    ana: String,
    ben: String,
}

impl<'s> Scene<'s> {
    async fn new(stage: &'s Stage) -> Self {
        let owner = stage.owner();
        let list = owner.list("Main room").await;
        let ana = owner.join(&list, "Ana").await;
        let ben = owner.join(&list, "Ben").await;
        let parties = format!("/v1/waitlists/{list}/waitees");
        Self { stage, owner, list, parties, ana, ben }
    }

    fn ana(&self, action: &str) -> String {
        format!("/v1/waitees/{}{action}", self.ana)
    }

    async fn send(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let exp = self.stage.backend.clock.now().millis() / 1000 + 900;
        let principal = Principal::User { id: self.owner.id, exp };
        send_bytes(&self.stage.backend, Some(principal), method, path, body.to_owned().into(), headers).await
    }

    /// The request is refused like this and leaves no trace. `at` is `kind:place` of the first error, or nothing.
    async fn refuses(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)], expected: (u16, &str, &str)) {
        let (status, slug, at) = expected;
        let request = || format!("{method} {path} {headers:?} {}", body.chars().take(200).collect::<String>());
        let before = census(&self.stage.dynamodb, &self.stage.prefix).await;
        let answer = self.send(method, path, body, headers).await;
        assert_is_problem(&answer, status, slug, &request());
        if let Some((kind, place)) = at.split_once(':') {
            let error = &answer.body["errors"][0];
            assert_eq!(error[kind].as_str().map(str::to_ascii_lowercase), Some(place.to_ascii_lowercase()), "{} {answer:?}", request());
            assert!(error["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{} {answer:?}", request());
        }
        assert_eq!(census(&self.stage.dynamodb, &self.stage.prefix).await, before, "{} left something behind", request());
    }

    /// A JSON body is refused.
    async fn refuses_body(&self, method: &str, path: &str, body: &str, expected: (u16, &str, &str)) {
        self.refuses(method, path, body, &[JSON], expected).await;
    }

    async fn refuses_query(&self, path: &str, at: &str) {
        self.refuses("GET", path, "", &[], (400, "invalid-parameter", at)).await;
    }

    async fn refuses_header(&self, method: &str, path: &str, name: &str, value: &str) {
        let at = format!("header:{name}");
        self.refuses(method, path, "", &[(name, value)], (400, "invalid-parameter", &at)).await;
    }
}

/// A problem document of this kind, whole.
pub(crate) fn assert_is_problem(answer: &Answer, status: u16, slug: &str, request: &str) {
    assert_eq!(answer.status, status, "{request}: {answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{request}: {answer:?}");
    let body = &answer.body;
    assert!(body["type"].as_str().is_some_and(|uri| uri.ends_with(&format!("/problems/{slug}"))), "{request}: {answer:?}");
    assert_eq!(body["status"], status, "{request}: {answer:?}");
    for field in ["title", "detail"] {
        assert!(body[field].as_str().is_some_and(|text| !text.is_empty()), "{request}: no {field} in {answer:?}");
    }
    assert_eq!(body["request_id"].as_str(), Some(answer.header("x-request-id")), "{request}: {answer:?}");
    assert!(!answer.header("x-request-id").is_empty(), "{request}: {answer:?}");
}

fn party(changes: Value) -> String {
    let mut party = json!({ "name": "Cleo", "party_size": 2 });
    party.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    party.to_string()
}

fn list(changes: Value) -> String {
    let mut list = json!({ "name": "Terrace", "time_zone": "America/Los_Angeles", "region": "US" });
    list.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    list.to_string()
}

#[tokio::test]
async fn a_body_of_the_wrong_shape_is_a_400_that_points_at_the_place() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    for (body, at) in [
        (r#"{"name": "Cleo", "party_size""#, ""),
        ("not json", ""),
        (r#"{"name": "Cleo", "party_size": 2} trailing"#, ""),
        ("\u{feff}{}", ""),
        (r#"{"name": "Cleo", "party_size": 2, "colour": 1}"#, "pointer:/colour"),
        (r#"{"name": "Cleo", "name": "Dan", "party_size": 2}"#, "pointer:"),
        (r#"{"name": "Cleo", "party_size": "2"}"#, "pointer:/party_size"),
        (r#"{"name": "Cleo", "party_size": 1.5}"#, "pointer:/party_size"),
        (r#"{"name": "Cleo", "party_size": null}"#, "pointer:/party_size"),
        (r#"{"name": "Cleo", "party_size": 99999999999999999999}"#, "pointer:/party_size"),
        (r#"{"name": 7, "party_size": 2}"#, "pointer:/name"),
        (r#"{"name": {"first": "Cleo"}, "party_size": 2}"#, "pointer:/name"),
        (r#"{"name": "Cleo"}"#, "pointer:"),
        (r#"{"name": "Cleo", "party_size": 2, "phone": []}"#, "pointer:/phone"),
        ("null", "pointer:"),
        ("7", "pointer:"),
        (r#""Cleo""#, "pointer:"),
        (r#"["Cleo", 2, null, null, null, null, null]"#, "pointer:"),
        ("", "pointer:"),
    ] {
        scene.refuses_body("POST", &scene.parties, body, (400, "malformed-body", at)).await;
    }
    for (method, path) in [("POST", scene.ana("/call")), ("POST", scene.ana("/seat")), ("PATCH", scene.ana(""))] {
        for body in ["[]", "null", "{", r#"{"colour": 1}"#] {
            scene.refuses_body(method, &path, body, (400, "malformed-body", "")).await;
        }
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    scene.refuses_body("POST", &scene.parties, &deep, (400, "malformed-body", "")).await;
    scene.refuses_body("POST", &scene.parties, &party(json!({ "note": deep_object(200) })), (400, "malformed-body", "pointer:/note")).await;
}

/// An object in an object in an object.
fn deep_object(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!({ "in": inner }))
}

#[tokio::test]
async fn a_value_outside_what_is_allowed_is_a_422_that_names_the_field() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let wrong = |pointer: &'static str| (422, "invalid-value", pointer);
    let letters = "x".repeat(60_000); // as long as a body may be
    for (changes, pointer) in [
        (json!({ "party_size": 0 }), "pointer:/party_size"),
        (json!({ "party_size": 101 }), "pointer:/party_size"),
        (json!({ "party_size": 1_000_000 }), "pointer:/party_size"),
        (json!({ "party_size": -1 }), "pointer:/party_size"),
        (json!({ "name": "" }), "pointer:/name"),
        (json!({ "name": " \u{a0} " }), "pointer:/name"),
        (json!({ "name": "\u{0}\u{7}\u{1b}" }), "pointer:/name"),
        (json!({ "name": "two\nlines" }), "pointer:/name"),
        (json!({ "name": "x".repeat(101) }), "pointer:/name"),
        (json!({ "name": letters }), "pointer:/name"),
        (json!({ "phone": "" }), "pointer:/phone"),
        (json!({ "phone": "12" }), "pointer:/phone"),
        (json!({ "phone": "call me" }), "pointer:/phone"),
        (json!({ "phone": "1".repeat(5_000) }), "pointer:/phone"),
        (json!({ "email": "cleo" }), "pointer:/email"),
        (json!({ "email": "cleo@example.com\r\nBcc: all@example.com" }), "pointer:/email"),
        (json!({ "note": "x".repeat(501) }), "pointer:/note"),
        (json!({ "quoted_minutes": -1 }), "pointer:/quoted_minutes"),
        (json!({ "quoted_minutes": 601 }), "pointer:/quoted_minutes"),
        (json!({ "language": "fr" }), "pointer:/language"),
    ] {
        scene.refuses_body("POST", &scene.parties, &party(changes.clone()), wrong(pointer)).await;
        scene.refuses_body("PATCH", &scene.ana(""), &changes.to_string(), wrong(pointer)).await;
    }
    for (changes, pointer) in [
        (json!({ "time_zone": "Mars/Olympus_Mons" }), "pointer:/time_zone"),
        (json!({ "time_zone": "" }), "pointer:/time_zone"),
        (json!({ "region": "XX" }), "pointer:/region"),
        (json!({ "region": "United States" }), "pointer:/region"),
        (json!({ "name": "" }), "pointer:/name"),
        (json!({ "capacity": 0 }), "pointer:/capacity"),
        (json!({ "capacity": 401 }), "pointer:/capacity"),
        (json!({ "hold_minutes": 121 }), "pointer:/hold_minutes"),
        (json!({ "hold_minutes": 5, "remind_minutes": 5 }), "pointer:/remind_minutes"),
        (json!({ "quote_minutes": 601 }), "pointer:/quote_minutes"),
        (json!({ "language": "English" }), "pointer:/language"),
        (json!({ "day_starts": "24:00" }), "pointer:/day_starts"),
        (json!({ "day_starts": "4:00" }), "pointer:/day_starts"),
    ] {
        scene.refuses_body("POST", "/v1/waitlists", &list(changes.clone()), wrong(pointer)).await;
        scene.refuses_body("PATCH", &format!("/v1/waitlists/{}", scene.list), &changes.to_string(), wrong(pointer)).await;
    }
    for reason in ["", "\u{7}", &"x".repeat(201)] {
        scene.refuses_body("POST", &scene.ana("/seat"), &json!({ "reason": reason }).to_string(), wrong("pointer:/reason")).await;
    }
    // All that is wrong is told at once.
    let answer = scene.send("POST", &scene.parties, &party(json!({ "name": "", "party_size": 0, "phone": "12" })), &[JSON]).await;
    let pointers: Vec<_> = answer.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/name", "/party_size", "/phone"]);
}

#[tokio::test]
async fn what_cannot_be_cleared_is_not_cleared_by_null() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    for field in ["name", "party_size"] {
        let at = format!("pointer:/{field}");
        scene.refuses_body("PATCH", &scene.ana(""), &json!({ field: null }).to_string(), (422, "invalid-value", &at)).await;
    }
    for field in ["name", "time_zone", "region"] {
        let at = format!("pointer:/{field}");
        let path = format!("/v1/waitlists/{}", scene.list);
        scene.refuses_body("PATCH", &path, &json!({ field: null }).to_string(), (422, "invalid-value", &at)).await;
    }
}

#[tokio::test]
async fn a_move_names_exactly_one_other_party_of_the_same_board() {
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
    scene.refuses_body("POST", &path, &json!({ "after": hidden }).to_string(), (409, "not-on-board", "")).await;
}

#[tokio::test]
async fn a_path_that_names_nothing_is_404_and_a_method_that_is_not_there_405() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let upper = scene.ana.to_uppercase();
    for id in ["7", "not-a-uuid", "%00", NO_SUCH_ID, "{id}", &upper, &scene.ana.replace('-', ""), "..", &scene.list] {
        for (method, path) in [
            ("GET", format!("/v1/waitees/{id}")),
            ("GET", format!("/v1/waitees/{id}/history")),
            ("PATCH", format!("/v1/waitees/{id}")),
            ("POST", format!("/v1/waitees/{id}/seat")),
        ] {
            scene.refuses_body(method, &path, "", (404, "not-found", "")).await;
        }
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
        ("PUT", "/v1/waitlists".to_owned(), "POST, GET"),
        ("DELETE", scene.ana(""), "GET, PATCH"),
        ("GET", scene.ana("/seat"), "POST"),
        ("HEAD", "/healthz".to_owned(), "GET"),
        ("get", "/healthz".to_owned(), "GET"),
    ] {
        scene.refuses(method, &path, "", &[], (405, "method-not-allowed", "")).await;
        assert_eq!(scene.send(method, &path, "", &[]).await.header("allow"), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn a_query_parameter_is_known_given_once_and_within_its_bounds() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let (parties, history) = (&scene.parties, scene.ana("/history"));
    for limit in ["0", "201", "-1", "ten", "1.5", "", "99999999999999999999999"] {
        for path in [parties, "/v1/waitlists", &history] {
            scene.refuses_query(&format!("{path}?limit={limit}"), "parameter:limit").await;
        }
    }
    for path in [parties, "/v1/waitlists", &history, &scene.ana("")] {
        scene.refuses_query(&format!("{path}?colour=red"), "parameter:colour").await;
        scene
            .refuses_query(&format!("{path}?limit=5&Limit=5"), if *path == scene.ana("") { "parameter:limit" } else { "parameter:Limit" })
            .await;
    }
    scene.refuses_query(&format!("{parties}?limit=5&limit=5"), "parameter:limit").await;
    for day in ["today", "2026-13-01", "2026-02-30", "", "2026-11-20T00:00:00Z"] {
        scene.refuses_query(&format!("{parties}?day={day}"), "parameter:day").await;
    }
    // A cursor holds a place and the kind of page it was cut from.
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
    // Writes take none.
    scene.refuses("POST", &format!("{}?dry_run=true", scene.ana("/seat")), "", &[], (400, "invalid-parameter", "parameter:dry_run")).await;
    scene.refuses("GET", "/healthz?deep=1", "", &[], (400, "invalid-parameter", "parameter:deep")).await;
}

#[tokio::test]
async fn a_header_that_does_not_parse_is_a_400_that_names_it() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    for tag in ["7", "\"seven\"", "\"\"", "*", "W/\"1\"", "\"1\", \"2\"", "\"-1\""] {
        scene.refuses_header("POST", &scene.ana("/seat"), "If-Match", tag).await;
    }
    let (long, fits) = ("k".repeat(129), "k".repeat(128));
    for key in ["", " ", &long, "a\tb", "a b", "schl\u{fc}ssel"] {
        scene.refuses_header("POST", &scene.ana("/seat"), "Idempotency-Key", key).await;
        let at = (400, "invalid-parameter", "header:Idempotency-Key");
        scene.refuses("POST", "/v1/waitlists", &list(json!({})), &[JSON, ("Idempotency-Key", key)], at).await;
        scene.refuses("POST", &scene.parties, &party(json!({})), &[JSON, ("Idempotency-Key", key)], at).await;
    }
    let twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")];
    scene.refuses("POST", &scene.ana("/seat"), "", &twice, (400, "invalid-parameter", "header:Idempotency-Key")).await;
    let seventeen = vec![format!("waitee-{}@1", scene.ana); 17].join(", ");
    for tokens in ["garbage", "", "waitee-7@1", &format!("waitee-{}@0", scene.ana), &format!("waitee-{}", scene.ana), &seventeen] {
        for path in [&scene.parties, "/v1/waitlists", &scene.ana("")] {
            scene.refuses_header("GET", path, "Sync-Token", tokens).await;
        }
    }
    assert_eq!(scene.send("POST", &scene.ana("/call"), "", &[("Idempotency-Key", &fits)]).await.status, 202);
}

#[tokio::test]
async fn a_token_of_a_foreign_stream_and_one_beyond_the_end_are_one_and_the_same_400() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let stranger = stage.owner();
    let their_list = stranger.list("Not yours").await;
    let their_party = stranger.join(&their_list, "Zoe").await;
    let (ana, list) = (&scene.ana, &scene.list);
    for (path, foreign, beyond) in [
        (scene.ana(""), format!("waitee-{their_party}@1"), format!("waitee-{ana}@2")),
        (scene.parties.clone(), format!("waitee-{their_party}@1"), format!("waitee-{ana}@2")),
        (format!("{}?day=2026-11-20", scene.parties), format!("waitee-{their_party}@1"), format!("waitee-{ana}@2")),
        ("/v1/waitlists".to_owned(), format!("waitlist-{their_list}@1"), format!("waitlist-{list}@2")),
        (format!("/v1/waitlists/{list}"), format!("waitee-{their_party}@1"), format!("waitlist-{list}@2")),
    ] {
        let mut answers = Vec::new();
        for token in [foreign, beyond, format!("{}-{NO_SUCH_ID}@1", if path == "/v1/waitlists" { "waitlist" } else { "waitee" })] {
            scene.refuses_header("GET", &path, "Sync-Token", &token).await;
            let mut body = scene.send("GET", &path, "", &[("Sync-Token", &token)]).await.body;
            body["request_id"].take();
            answers.push(body);
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{path}: {answers:?}");
    }
}

#[tokio::test]
async fn a_stale_if_match_and_a_reused_key_change_nothing() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let keyed = [JSON, ("Idempotency-Key", "first")];
    let called = scene.send("POST", &scene.ana("/call"), "", &keyed).await;
    assert_eq!((called.status, called.header("etag")), (202, "\"2\""));
    for tag in ["\"1\"", "\"3\"", "\"1.abcdef\"", "\"0\""] {
        scene.refuses("POST", &scene.ana("/seat"), "", &[("If-Match", tag)], (412, "precondition-failed", "")).await;
    }
    scene.refuses("POST", &scene.ana("/seat"), "", &keyed, (422, "idempotency-key-reused", "")).await;
    scene.refuses("POST", &scene.ana("/call"), " {}", &keyed, (422, "idempotency-key-reused", "")).await;

    let made = scene.send("POST", "/v1/waitlists", &list(json!({})), &keyed).await;
    let joined = scene.send("POST", &scene.parties, &party(json!({})), &keyed).await;
    assert_eq!((made.status, joined.status), (201, 201));
    scene.refuses("POST", "/v1/waitlists", &list(json!({ "name": "Other" })), &keyed, (422, "idempotency-key-reused", "")).await;
    scene.refuses("POST", &scene.parties, &party(json!({ "name": "Other" })), &keyed, (422, "idempotency-key-reused", "")).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_or_not_declared_as_json_is_not_read() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let valid = party(json!({}));
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", ""] {
        scene.refuses("POST", &scene.parties, &valid, &[("content-type", kind)], (415, "unsupported-media-type", "")).await;
    }
    scene.refuses("POST", &scene.parties, &valid, &[], (415, "unsupported-media-type", "")).await;
    let padded = format!("{valid}{}", " ".repeat(64 * 1024 + 1 - valid.len()));
    scene.refuses_body("POST", &scene.parties, &padded, (413, "body-too-large", "")).await;
    // One byte less is just a body with much space in it.
    let joined = scene.send("POST", &scene.parties, &padded[..64 * 1024], &[("content-type", "application/json; charset=utf-8")]).await;
    assert_eq!(joined.status, 201, "{joined:?}");
}

#[tokio::test]
async fn a_transition_that_is_not_possible_says_what_is() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    scene.refuses("POST", &scene.ana("/confirm"), "", &[], (409, "invalid-transition", "")).await;
    assert_eq!(scene.owner.post(&scene.ana("/seat"), json!({})).await.status, 200);
    for action in ["/call", "/confirm", "/no-show", "/leave", "/remove"] {
        scene.refuses("POST", &scene.ana(action), "", &[], (409, "invalid-transition", "")).await;
        let answer = scene.send("POST", &scene.ana(action), "", &[]).await;
        assert_eq!((&answer.body["state"], &answer.body["allowed"]), (&json!("seated"), &json!(["restore"])), "{action}");
    }
    scene.refuses_body("POST", &scene.ana("/move"), &json!({ "after": scene.ben }).to_string(), (409, "invalid-transition", "")).await;
    let path = format!("/v1/waitlists/{}", scene.list);
    scene.refuses("DELETE", &path, "", &[], (409, "waitlist-open", "")).await;
}
