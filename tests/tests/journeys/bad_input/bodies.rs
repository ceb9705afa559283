//! Bodies of the wrong shape, with invalid values, too large, or of another media type.

use serde_json::{Value, json};
use waitlist_tests::stage::Stage;

use super::{JSON, Scene, list, party};

#[tokio::test]
async fn a_body_of_wrong_shape_is_refused_with_its_place() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    for (body, at) in [
        (r#"{"name": "Cleo", "party_size""#, ""),
        ("not json", ""),
        (r#"{"name": "Cleo", "party_size": 2} trailing"#, ""),
        ("\u{feff}{}", "pointer:"),
        ("\u{feff}\u{feff}{}", ""),
        (r#"{"name": "Cleo", "party_size": 2, "colour": 1}"#, "pointer:/colour"),
        (r#"{"name": "Cleo", "name": "Dan", "party_size": 2}"#, "pointer:"),
        (r#"{"name": "Cleo", "party_size": "2"}"#, "pointer:/party_size"),
        (r#"{"name": "Cleo", "party_size": 1.5}"#, "pointer:/party_size"),
        (r#"{"name": "Cleo", "party_size": null}"#, "pointer:/party_size"),
        (r#"{"name": 1e400, "party_size": 2}"#, "pointer:/name"),
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
        scene.refuses_body("POST", &scene.door(), body, (400, "malformed-body", at)).await;
    }
    // A guest sends no quoted time and no reason.
    let quoted = party(json!({ "quoted_minutes": 5 }));
    scene
        .refuses_body("POST", &scene.door(), &quoted, (400, "malformed-body", "pointer:/quoted_minutes"))
        .await;
    for action in ["/confirm", "/leave"] {
        for body in ["[]", "null", "{", "7", r#"{"colour": 1}"#, r#"{"reason": "asked"}"#] {
            scene.refuses_body("POST", &scene.visit(action), body, (400, "malformed-body", "")).await;
        }
    }
    for (method, path) in
        [("POST", scene.ana("/call")), ("POST", scene.ana("/seat")), ("PATCH", scene.ana(""))]
    {
        for body in ["[]", "null", "{", r#"{"colour": 1}"#] {
            scene.refuses_body(method, &path, body, (400, "malformed-body", "")).await;
        }
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    scene.refuses_body("POST", &scene.parties, &deep, (400, "malformed-body", "")).await;
    scene
        .refuses_body(
            "POST",
            &scene.parties,
            &party(json!({ "note": deep_object(200) })),
            (400, "malformed-body", "pointer:/note"),
        )
        .await;
}

#[tokio::test]
async fn a_body_is_accepted_as_people_and_programs_write_it() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let body = "\u{feff}{\"name\": \"Cleo\\tDoe\", \"party_size\": 2.0, \"quoted_minutes\": 1.5e1, \
                \"note\": \"window seat\\r\\nhigh\\tchair\\r\\n\", \"email\": \"cleo@MÜNCHEN.de\"}";
    let joined = scene.send("POST", &scene.parties, body, &[JSON]).await;
    assert_eq!(joined.status, 201, "{joined:?}");
    let token = [("Sync-Token", joined.header("sync-token"))];
    let party = scene.send("GET", &format!("/v1/waitees/{}", joined.id()), "", &token).await.body;
    assert_eq!(
        [&party["name"], &party["party_size"], &party["quoted_minutes"], &party["note"], &party["email"]],
        [
            &json!("Cleo Doe"),
            &json!(2),
            &json!(15),
            &json!("window seat\nhigh chair"),
            &json!("cleo@xn--mnchen-3ya.de")
        ]
    );
}

/// Returns an object nested this deeply.
fn deep_object(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!({ "in": inner }))
}

#[tokio::test]
async fn an_invalid_value_is_refused_with_its_field() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let wrong = |pointer: &'static str| (422, "invalid-value", pointer);
    let letters = "x".repeat(60_000); // almost as long as a body may be
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
        (json!({ "name": "\u{200d}\u{200d}" }), "pointer:/name"),
        (json!({ "name": "A\u{202e}na" }), "pointer:/name"),
        (json!({ "name": "Win at bit.ly/x" }), "pointer:/name"),
        (json!({ "name": "Win evil.lol/x" }), "pointer:/name"),
        (json!({ "name": "192.168.0.1/x" }), "pointer:/name"),
        (json!({ "name": "ｅｖｉｌ．ｃｏｍ" }), "pointer:/name"),
        (json!({ "name": "evil\u{2024}com" }), "pointer:/name"),
        (json!({ "name": "tel:+19005550123" }), "pointer:/name"),
        (json!({ "name": "=?utf-8?q?Free_phone_at_evil=2Ecom/x?=" }), "pointer:/name"),
        (json!({ "phone": "" }), "pointer:/phone"),
        (json!({ "phone": "12" }), "pointer:/phone"),
        (json!({ "phone": "call me" }), "pointer:/phone"),
        (json!({ "phone": "1".repeat(5_000) }), "pointer:/phone"),
        (json!({ "email": "cleo" }), "pointer:/email"),
        (json!({ "email": "..@example.com" }), "pointer:/email"),
        (json!({ "email": "cléo@example.com" }), "pointer:/email"),
        (json!({ "email": "cleo@example.com\r\nBcc: all@example.com" }), "pointer:/email"),
        (json!({ "note": "x".repeat(501) }), "pointer:/note"),
        (json!({ "note": "\u{200b}" }), "pointer:/note"),
        (json!({ "note": "\u{202e}wodniw" }), "pointer:/note"),
        (json!({ "quoted_minutes": -1 }), "pointer:/quoted_minutes"),
        (json!({ "quoted_minutes": 601 }), "pointer:/quoted_minutes"),
        (json!({ "language": "fr" }), "pointer:/language"),
    ] {
        scene.refuses_body("POST", &scene.parties, &party(changes.clone()), wrong(pointer)).await;
        if changes.get("quoted_minutes").is_none() {
            scene.refuses_body("POST", &scene.door(), &party(changes.clone()), wrong(pointer)).await;
        }
        scene.refuses_body("PATCH", &scene.ana(""), &changes.to_string(), wrong(pointer)).await;
    }
    for number in ["9223372036854775808", "-9223372036854775809", "99999999999999999999", "1e400", "-1e400"] {
        let body = format!(r#"{{"name": "Cleo", "party_size": {number}}}"#);
        scene.refuses_body("POST", &scene.parties, &body, wrong("pointer:/party_size")).await;
        scene.refuses_body("POST", &scene.door(), &body, wrong("pointer:/party_size")).await;
        let body = format!(r#"{{"party_size": {number}}}"#);
        scene.refuses_body("PATCH", &scene.ana(""), &body, wrong("pointer:/party_size")).await;
    }
    for (changes, pointer) in [
        (json!({ "time_zone": "Mars/Olympus_Mons" }), "pointer:/time_zone"),
        (json!({ "time_zone": "" }), "pointer:/time_zone"),
        (json!({ "region": "XX" }), "pointer:/region"),
        (json!({ "region": "United States" }), "pointer:/region"),
        (json!({ "name": "" }), "pointer:/name"),
        (json!({ "name": "\u{200b}Terrace" }), "pointer:/name"),
        (json!({ "name": "https://example.com" }), "pointer:/name"),
        (json!({ "name": "=?utf-8?q?Free_phone_at_evil=2Ecom/x?=" }), "pointer:/name"),
        (json!({ "name": "x.zip" }), "pointer:/name"),
        (json!({ "capacity": 0 }), "pointer:/capacity"),
        (json!({ "capacity": 401 }), "pointer:/capacity"),
        (json!({ "hold_minutes": 121 }), "pointer:/hold_minutes"),
        (json!({ "hold_minutes": 5, "remind_minutes": 5 }), "pointer:/remind_minutes"),
        (json!({ "remind_minutes": 10 }), "pointer:/remind_minutes"), // the hold is 10 minutes unless the body says otherwise
        (json!({ "quote_minutes": 601 }), "pointer:/quote_minutes"),
        (json!({ "language": "English" }), "pointer:/language"),
        (json!({ "day_starts": "24:00" }), "pointer:/day_starts"),
        (json!({ "day_starts": "4:00" }), "pointer:/day_starts"),
        (json!({ "day_starts": " 4:00" }), "pointer:/day_starts"),
        (json!({ "day_starts": "4:00 " }), "pointer:/day_starts"),
        (json!({ "day_starts": "04:0 " }), "pointer:/day_starts"),
        (json!({ "day_starts": "+4:00" }), "pointer:/day_starts"),
    ] {
        scene.refuses_body("POST", "/v1/waitlists", &list(changes.clone()), wrong(pointer)).await;
        scene
            .refuses_body(
                "PATCH",
                &format!("/v1/waitlists/{}", scene.list),
                &changes.to_string(),
                wrong(pointer),
            )
            .await;
    }
    for reason in ["", "\u{7}", "\u{200b}", "\u{2066}x", &"x".repeat(201)] {
        scene
            .refuses_body(
                "POST",
                &scene.ana("/seat"),
                &json!({ "reason": reason }).to_string(),
                wrong("pointer:/reason"),
            )
            .await;
    }
    // All errors are reported at once.
    let answer = scene
        .send("POST", &scene.parties, &party(json!({ "name": "", "party_size": 0, "phone": "12" })), &[JSON])
        .await;
    let pointers: Vec<_> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/name", "/party_size", "/phone"]);
}

#[tokio::test]
async fn a_required_field_is_not_cleared_by_null() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    for field in ["name", "party_size"] {
        let at = format!("pointer:/{field}");
        scene
            .refuses_body(
                "PATCH",
                &scene.ana(""),
                &json!({ field: null }).to_string(),
                (422, "invalid-value", &at),
            )
            .await;
    }
    for field in ["name", "time_zone", "region"] {
        let at = format!("pointer:/{field}");
        let path = format!("/v1/waitlists/{}", scene.list);
        scene
            .refuses_body("PATCH", &path, &json!({ field: null }).to_string(), (422, "invalid-value", &at))
            .await;
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_not_declared_as_json_is_refused() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let valid = party(json!({}));
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "",
    ] {
        scene
            .refuses(
                "POST",
                &scene.parties,
                &valid,
                &[("content-type", kind)],
                (415, "unsupported-media-type", ""),
            )
            .await;
    }
    for path in [&scene.parties, &scene.door(), &scene.visit("/leave")] {
        scene.refuses("POST", path, &valid, &[], (415, "unsupported-media-type", "")).await;
    }
    for coding in ["gzip", "br", "identity, deflate", "aws-chunked"] {
        let headers = [JSON, ("content-encoding", coding)];
        scene.refuses("POST", &scene.parties, &valid, &headers, (415, "unsupported-media-type", "")).await;
        let answer = scene.send("POST", &scene.door(), &valid, &headers).await;
        assert_eq!((answer.status, answer.header("accept-encoding")), (415, "identity"), "{coding}");
    }
    let plain = [JSON, ("content-encoding", "Identity")];
    assert_eq!(scene.send("POST", &scene.parties, &valid, &plain).await.status, 201);
    let padded = format!("{valid}{}", " ".repeat(64 * 1024 + 1 - valid.len()));
    for path in [&scene.parties, &scene.door(), &scene.visit("/leave")] {
        scene.refuses_body("POST", path, &padded, (413, "body-too-large", "")).await;
    }
    // One byte less is a valid body with much white space.
    let joined = scene
        .send(
            "POST",
            &scene.parties,
            &padded[..64 * 1024],
            &[("content-type", "application/json; charset=utf-8")],
        )
        .await;
    assert_eq!(joined.status, 201, "{joined:?}");
}
