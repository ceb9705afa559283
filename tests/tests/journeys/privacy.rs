//! No personal data are stored or logged in clear: the engine's file, its write-ahead log and the logs are
//! searched.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use serde_json::{Value, json};
use waitlist_tests::process::Server;

use crate::{night::owner, place::Place};

/// Long random texts that occur nowhere else.
const CANARIES: &[&str] = &[
    "Qxvbnwzkjhtrplmd",
    "Zwölfboxkämpferjagenvïktor",
    "Kjwqzvxnbghtyplkm",
    "wvqxkzjbnmtghplrd",
    "Xqjkvwzbhgtnmplrdf",
    "Vzkqjxwbnhtgmplyrdc",
    "Jqzxkwvbhngtmplydrs",
    "Hqzwkxvjbngtmplydrx",
];
/// The longest time for an erasure on a busy machine.
const FORGET_MAX: Duration = Duration::from_secs(60);
const FORGET_POLL: Duration = Duration::from_millis(50);

/// A valid number that belongs to no subscriber. It is sealed as +12025550143.
const PHONE: &str = "+12025550143";

/// Returns the encodings in which a text may be stored.
fn encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = text.as_bytes();
    let escaped = |unit: fn(u16) -> String| {
        text.encode_utf16()
            .map(|code| if code < 128 { char::from(code as u8).to_string() } else { unit(code) })
            .collect::<String>()
    };
    let mut found = vec![
        ("UTF-8", bytes.to_vec()),
        ("JSON escapes", escaped(|code| format!("\\u{code:04x}")).into_bytes()),
        ("JSON escapes in capitals", escaped(|code| format!("\\u{code:04X}")).into_bytes()),
        (
            "every letter escaped",
            text.encode_utf16().map(|code| format!("\\u{code:04x}")).collect::<String>().into_bytes(),
        ),
        ("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("hex", HEXLOWER.encode(bytes).into_bytes()),
        ("hex in capitals", HEXUPPER.encode(bytes).into_bytes()),
        (
            "percent encoding",
            text.bytes()
                .map(
                    |byte| {
                        if byte.is_ascii() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
                    },
                )
                .collect::<String>()
                .into_bytes(),
        ),
    ];
    for (name, base64) in [("base64", &BASE64_NOPAD), ("base64url", &BASE64URL_NOPAD)] {
        for before in 0..3 {
            found.push((name, inside(base64, bytes, before)));
        }
    }
    found.retain(|(name, encoded)| *name == "UTF-8" || encoded != bytes);
    found
}

/// Encodes the bytes behind `before` others, and cuts off the letters that depend on their neighbours.
fn inside(base64: &data_encoding::Encoding, bytes: &[u8], before: usize) -> Vec<u8> {
    let encoded = base64.encode(&[&vec![0; before], bytes].concat());
    let start = (before * 8).div_ceil(6);
    let end = (before + bytes.len()) * 8 / 6;
    encoded.as_bytes()[start..end].to_vec()
}

/// Returns the texts that these bytes contain, each with its encoding.
fn find(haystack: &[u8], texts: &[&str]) -> Vec<String> {
    // Each byte becomes the character of its number, because the standard library searches text faster than
    // bytes.
    let characters = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
    let haystack = characters(haystack);
    let mut found = Vec::new();
    for text in texts {
        for (name, needle) in encodings(text) {
            if haystack.contains(&characters(&needle)) {
                found.push(format!("{text} in {name}"));
            }
        }
    }
    found
}

/// Returns every file under a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn assert_nothing_lies_in_clear(directory: &Path, texts: &[&str]) {
    let files = files(directory);
    for name in ["engine.db", "engine.db-wal", "stdout", "stderr"]
        .into_iter()
        .filter(|name| !crate::place::is_external() || name.starts_with("std"))
    {
        assert!(files.iter().any(|path| path.ends_with(name)), "{name} is not among {files:?}");
    }
    // The outbox is meant to be read.
    for path in files.into_iter().filter(|path| !path.starts_with(directory.join("outbox"))) {
        let found = find(&std::fs::read(&path).unwrap(), texts);
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}

#[test]
fn the_search_finds_planted_texts_in_every_encoding() {
    for text in CANARIES.iter().chain(&[PHONE]) {
        let json = json!({ "name": text }).to_string();
        for before in 0..3 {
            let padding = "x".repeat(before);
            let planted = format!("{padding}{text} and more");
            for haystack in [
                planted.clone().into_bytes(),
                HEXLOWER.encode(planted.as_bytes()).into_bytes(),
                HEXUPPER.encode(planted.as_bytes()).into_bytes(),
                BASE64.encode(planted.as_bytes()).into_bytes(),
                BASE64URL_NOPAD.encode(planted.as_bytes()).into_bytes(),
                BASE64.encode(json.as_bytes()).into_bytes(),
                json.clone().into_bytes(),
            ] {
                assert!(
                    !find(&haystack, &[text]).is_empty(),
                    "{text} in {}",
                    String::from_utf8_lossy(&haystack)
                );
            }
        }
    }
    assert!(!find(br"Zw\u00f6lfboxk\u00e4mpferjagenv\u00efktor", CANARIES).is_empty());
    assert!(!find(br"Zw\u00F6lfboxk\u00E4mpferjagenv\u00EFktor", CANARIES).is_empty());
    assert!(find(b"nothing of the kind", CANARIES).is_empty());
}

/// Sends all personal data that the API accepts, in valid and in refused requests. Returns a guest's visit
/// token.
async fn an_evening(server: &Server, token: &str) -> String {
    let send = async |method: &str, path: &str, body: Value, headers: &[(&str, &str)]| {
        server.send(Some(token), method, path, Some(&body), headers).await.unwrap()
    };
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let parties = format!("/v1/waitlists/{}/waitees", send("POST", "/v1/waitlists", list, &[]).await.id());
    let [name, foreign_name, email, note, reason, refused, renamed, key] = CANARIES else {
        panic!("eight canaries")
    };
    let party = json!({ "name": name, "party_size": 2, "phone": PHONE, "email": format!("{email}@example.com"), "note": note });
    let ana = send("POST", &parties, party.clone(), &[("Idempotency-Key", key)]).await.id();
    let ben =
        send("POST", &parties, json!({ "name": foreign_name, "party_size": 2, "note": foreign_name }), &[])
            .await
            .id();
    let ana = format!("/v1/waitees/{ana}");
    for (method, path, body, status) in [
        ("POST", format!("{ana}/call"), json!({}), 202),
        ("POST", format!("{ana}/move"), json!({ "after": ben, "reason": reason }), 200),
        (
            "PATCH",
            ana.clone(),
            json!({ "name": renamed, "phone": PHONE, "note": format!("{note} {reason}") }),
            200,
        ),
        ("POST", format!("{ana}/leave"), json!({ "reason": reason }), 200),
        ("POST", format!("{ana}/restore"), json!({ "reason": foreign_name }), 200),
        // Requests that are refused for different reasons.
        ("POST", format!("{ana}/confirm"), json!({ "reason": refused }), 409),
        (
            "POST",
            parties.clone(),
            json!({ "name": refused, "party_size": 0, "phone": refused, "email": refused }),
            422,
        ),
        ("POST", parties.clone(), json!({ "name": refused, "party_size": refused }), 400),
        ("POST", parties.clone(), json!({ "name": refused, "party_size": 2, *refused: refused }), 400),
        ("POST", parties.clone(), json!([refused]), 400),
        ("PATCH", ana.clone(), json!({ "language": refused }), 422),
        ("POST", format!("{ana}/move"), json!({ "after": refused }), 422),
        (
            "POST",
            "/v1/waitlists".into(),
            json!({ "name": "Bar", "time_zone": refused, "region": refused }),
            422,
        ),
        ("GET", format!("{parties}?cursor={refused}&day={refused}"), json!({}), 400),
        ("GET", format!("/v1/waitees/{refused}"), json!({}), 404),
        ("GET", format!("/{refused}"), json!({}), 404),
    ] {
        let answer = send(method, &path, body, &[]).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    }
    let reused =
        send("POST", &parties, json!({ "name": refused, "party_size": 2 }), &[("Idempotency-Key", key)])
            .await;
    assert_eq!(reused.status, 422, "{reused:?}");
    let board = send("GET", &parties, json!({}), &[]).await;
    assert_eq!(board.status, 200, "{board:?}");
    let shown = server.send(Some(token), "GET", &format!("{ana}/history"), None, &[]).await.unwrap();
    assert_eq!(shown.body["items"][0]["data"]["name"], **name, "{shown:?}");
    by_themselves(server, &parties, &party).await
}

/// A guest joins, reads the visit and leaves. Returns the visit token.
async fn by_themselves(server: &Server, parties: &str, party: &Value) -> String {
    let door = parties.replace("/v1/waitlists", "/v1/public/waitlists");
    let joined = server.send(None, "POST", &door, Some(party), &[]).await.unwrap();
    let token = joined.body["visit_token"].as_str().unwrap_or_else(|| panic!("{joined:?}")).to_owned();
    for (method, action, status) in
        [("GET", "", 200), ("POST", "/confirm", 409), ("POST", "/leave", 200), ("GET", "/leave", 405)]
    {
        let answer = server
            .send(None, method, &format!("/v1/public/visits/{token}{action}"), None, &[])
            .await
            .unwrap();
        assert_eq!(answer.status, status, "{answer:?}");
    }
    token
}

#[tokio::test]
async fn no_personal_data_lie_in_clear_after_valid_and_refused_requests_and_a_kill() {
    let place = Place::new();
    // The most verbose logs.
    let env = [("RUST_LOG", "debug"), ("RUST_BACKTRACE", "1")];
    let server = place.serve(&env).await;
    let token = server.token(owner());
    let visit_token = an_evening(&server, &token).await;
    place.settled(&server).await;
    let texts = [CANARIES, &[PHONE, &visit_token]].concat();
    server.kill(); // leaves the write-ahead log as it was
    assert_nothing_lies_in_clear(place.path(), &texts);

    let server = place.serve(&env).await;
    an_evening_again(&server, &token).await;
    the_guests_are_forgotten(&server, &token).await;
    place.settled(&server).await;
    assert_nothing_lies_in_clear(place.path(), &texts);
    assert_eq!(server.interrupt().await, Some(0));
}

/// The next process reads the stored data again.
async fn an_evening_again(server: &Server, token: &str) {
    let lists = server.send(Some(token), "GET", "/v1/waitlists", None, &[]).await.unwrap();
    let list = lists.body["items"][0]["id"].as_str().unwrap();
    let board =
        server.send(Some(token), "GET", &format!("/v1/waitlists/{list}/waitees"), None, &[]).await.unwrap();
    let names: Vec<_> =
        board.body["items"].as_array().unwrap().iter().map(|party| party["name"].as_str().unwrap()).collect();
    assert!(names.contains(&CANARIES[6]) && names.contains(&CANARIES[1]), "{board:?}");
}

/// Erases the guests and waits until they are forgotten.
async fn the_guests_are_forgotten(server: &Server, token: &str) {
    let get = async |path: &str| server.send(Some(token), "GET", path, None, &[]).await.unwrap().body;
    let list = get("/v1/waitlists").await["items"][0]["id"].as_str().unwrap().to_owned();
    let board = get(&format!("/v1/waitlists/{list}/waitees")).await;
    for party in board["items"].as_array().unwrap() {
        let path = format!("/v1/waitees/{}", party["id"].as_str().unwrap());
        assert_eq!(
            server.send(Some(token), "POST", &format!("{path}/erase"), None, &[]).await.unwrap().status,
            202
        );
        let forgotten = async {
            while get(&format!("{path}/history")).await["items"].as_array().unwrap().last().unwrap()["type"]
                != "waitee.forgotten"
            {
                tokio::time::sleep(FORGET_POLL).await;
            }
        };
        tokio::time::timeout(FORGET_MAX, forgotten).await.expect("the guest is forgotten in time");
        let history = get(&format!("{path}/history")).await;
        assert_eq!(
            (&history["items"][0]["data"]["name"], &history["verified"]["ok"]),
            (&Value::Null, &json!(true)),
            "{history}"
        );
    }
}
