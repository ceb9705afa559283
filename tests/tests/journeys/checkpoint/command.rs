//! The commands `audit checkpoint`, `audit check` and `audit prove`.

use std::{fs, os::unix::fs::PermissionsExt as _};

use aws_sdk_dynamodb::types::AttributeValue;
use schema::{UserId, table::EVENTS};
use serde_json::{Value, json};
use uuid::Uuid;
use waitlist_tests::{
    past::{fresh_stream, visit},
    process::run_on_aws,
    stage::Stage,
};

use super::remove;
use crate::place::{Place, is_external};

const STRANGER: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

/// Runs a subcommand of `audit`. Returns its exit code, and its JSON or what it wrote to standard error.
async fn audit(place: &Place, args: &[&str]) -> (Option<i32>, Value) {
    let ran = place.run(&[&["audit"], args, &["--json"]].concat()).await;
    (ran.code, serde_json::from_str(&ran.out).unwrap_or(Value::from(ran.err)))
}

#[tokio::test]
async fn a_checkpoint_is_written_checked_and_proved_with_and_without_a_server() {
    let place = Place::new();
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name).display().to_string();
    let (first, second) = (path("first"), path("second"));
    let server = place.serve(&[]).await;
    let token = server.token(UserId(Uuid::from_u128(7)));
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let add =
        async || server.send(Some(&token), "POST", "/v1/waitlists", Some(&list), &[]).await.unwrap().id();
    let (one, other) = (format!("waitlist-{}", add().await), format!("waitlist-{}", add().await));

    let (code, made) = audit(&place, &["checkpoint", &first]).await;
    assert_eq!((code, &made["streams"], &made["previous"]), (Some(0), &json!(2), &Value::Null), "{made}");
    let key = made["verifier_key"].as_str().unwrap().to_owned();
    assert!(key.starts_with(&format!("waitlist/{}+", EVENTS.name(&place.prefix))), "{key}");
    let key_file = place.path().join("keys/checkpoint");
    assert_eq!(made["new_key"].as_str().map(str::to_owned), Some(key_file.display().to_string()));
    assert_eq!(fs::metadata(&key_file).unwrap().permissions().mode() & 0o777, 0o600);
    let (code, again) = audit(&place, &["checkpoint", &first]).await;
    assert!(code == Some(1) && again.as_str().unwrap().contains("exists; choose another file"), "{again}");

    add().await;
    let (code, same) = audit(&place, &["check", &first]).await;
    assert_eq!((code, &same["ok"], &same["later_streams"]), (Some(0), &json!(true), &json!(1)), "{same}");
    let (code, made) = audit(&place, &["checkpoint", &second, "--previous", &first]).await;
    assert_eq!((code, &made["streams"], &made["new_key"]), (Some(0), &json!(3), &Value::Null), "{made}");
    assert_eq!(made["verifier_key"], key.as_str());
    for (file, previous, code) in [(&second, &first, 0), (&first, &second, 1), (&second, &second, 1)] {
        let (ended, said) = audit(&place, &["check", file, "--previous", previous]).await;
        assert_eq!(ended, Some(code), "{said}");
    }

    let dynamodb = place.dynamodb().await;
    let delete = dynamodb.delete_item().table_name(EVENTS.name(&place.prefix));
    let delete =
        delete.key("stream", AttributeValue::S(one.clone())).key("seq", AttributeValue::N("1".into()));
    delete.send().await.unwrap();
    let why = "is missing, and with it the whole stream, although the checkpoint has it";
    let (code, found) = audit(&place, &["check", &first, "--verifier-key", &key]).await;
    let bad = json!([{ "stream": one, "seq": 1, "why": why }]);
    assert_eq!((code, &found["ok"], &found["bad"]), (Some(1), &json!(false), &bad), "{found}");
    let third = path("third");
    let (code, refused) = audit(&place, &["checkpoint", &third, "--previous", &first]).await;
    assert_eq!((code, &refused["damaged"], &refused["differing"]), (Some(1), &json!(0), &bad), "{refused}");
    assert!(!fs::exists(&third).unwrap());
    assert_eq!(server.interrupt().await, Some(0));

    if !is_external() {
        let ran = place.run(&["audit", "checkpoint", &third, "--previous", &second]).await;
        assert_eq!((ran.code, ran.out), (Some(1), format!("{one}@1: the commit {why}\n")));
        let not_written = "a stream is not as the previous checkpoint has it; no checkpoint was written";
        assert!(ran.err.ends_with(&format!("error: {not_written}\n")), "{}", ran.err);
        let ran = place.run(&["audit", "check", &first]).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.out.starts_with(&format!("{one}@1: the commit {why}\n2 streams compared")), "{ran:?}");
        assert_eq!(ran.err, "error: a stream is not as the checkpoint has it\n");
    }
    let (code, proof) = audit(&place, &["prove", &first, "--stream", &other]).await;
    assert_eq!((code, proof["path"].as_array().map(Vec::len)), (Some(0), Some(1)), "{proof}");
    let proof = place.run(&["audit", "prove", &first, "--stream", &other]).await.out;
    assert!(proof.starts_with("c2sp.org/tlog-proof@v1\nextra ") && proof.contains("\n\u{2014} "), "{proof}");
    let unknown = "waitee-01920000-0000-7000-8000-000000000000";
    assert_eq!(audit(&place, &["prove", &first, "--stream", unknown]).await.0, Some(1));
}

#[tokio::test]
async fn an_altered_file_and_another_key_are_refused_before_the_log_is_read() {
    let place = Place::new();
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name).display().to_string();
    let (file, altered) = (path("file"), path("altered"));
    let server = place.serve(&[]).await;
    let token = server.token(UserId(Uuid::from_u128(7)));
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    server.send(Some(&token), "POST", "/v1/waitlists", Some(&list), &[]).await.unwrap();
    assert_eq!(audit(&place, &["checkpoint", &file]).await.0, Some(0));
    let text = fs::read_to_string(&file).unwrap();
    for (from, to, why) in [
        (" 1 ", " 2 ", "its leaves do not give the root"),
        ("\n1\n", "\n0\n", "it has 1 leaves, but its text says 0"),
        ("time 2", "time 3", "was altered after it was signed"),
        ("\u{2014} ", "- ", "must be an em dash"),
        ("waitlist/", "\u{feff}waitlist/", "it begins with a byte order mark"),
        ("\n", "\r\n", "line 1 ends with CR LF; copy the file in binary mode"),
        ("waitlist/", "\u{1b}[2Jwaitlist/", "it is of the log \\u{1b}[2Jwaitlist/"),
    ] {
        fs::write(&altered, text.replacen(from, to, 1)).unwrap();
        for command in [
            &["check", &altered][..],
            &["prove", &altered, "--stream", "waitlist-01920000-0000-7000-8000-000000000000"],
        ] {
            let (code, said) = audit(&place, command).await;
            assert!(code == Some(1) && said.as_str().unwrap().contains(why), "{from}: {said}");
        }
        let (code, said) = audit(&place, &["checkpoint", &path("next"), "--previous", &altered]).await;
        assert!(code == Some(1) && said.as_str().unwrap().contains(why), "{from}: {said}");
    }
    let other = path("other-key");
    assert_eq!(audit(&place, &["checkpoint", &path("other"), "--key", &other]).await.0, Some(0));
    let no_key = path("no-key");
    fs::write(&no_key, "of another kind").unwrap();
    fs::set_permissions(&no_key, fs::Permissions::from_mode(0o600)).unwrap();
    for (args, why) in [
        (["--key", &other], "has no signature of the key"),
        (["--verifier-key", STRANGER], "is of the log waitlist/"),
        (["--key", &path("nothing")], "read the checkpoint key"),
        (["--key", &no_key], "it holds no Ed25519 key in PKCS#8"),
    ] {
        let (code, said) = audit(&place, &[&["check", &file], &args[..]].concat()).await;
        assert!(code == Some(1) && said.as_str().unwrap().contains(why), "{said}");
    }
    let (new_key, nowhere) = (path("new-key"), path("nowhere/file"));
    let (code, said) = audit(&place, &["checkpoint", &nowhere, "--key", &new_key]).await;
    let why = format!("error: cannot write {nowhere}");
    assert!(code == Some(1) && said.as_str().unwrap().starts_with(&why), "{said}");
    assert!(!fs::exists(&new_key).unwrap(), "a key is not made when the file cannot be written");
    let absent = path("absent");
    let (code, said) =
        audit(&place, &["checkpoint", &path("next"), "--previous", &file, "--key", &absent]).await;
    assert!(code == Some(1) && said.as_str().unwrap().contains("read the checkpoint key"), "{said}");
    assert!(!fs::exists(&absent).unwrap(), "a key is not made when the previous checkpoint's is expected");
    for misuse in [
        &["checkpoint"][..],
        &["check"],
        &["prove", &file],
        &["prove", &file, "--stream", "7"],
        &["check", &file, "--segments", "0"],
        &["check", &file, "--verifier-key", "7"],
        &["check", &file, "--verifier-key", STRANGER, "--key", &other],
        &["check", &file, "--aws"],
        &["checkpoint", &path("next"), "--aws"],
        &["--limit", "3", "check", &file],
    ] {
        assert_eq!(audit(&place, misuse).await.0, Some(2), "{misuse:?}");
    }
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn a_deployment_is_checked_with_a_key_file_of_the_operator() {
    let stage = Stage::new().await;
    let (stream, damaged) = (fresh_stream(), fresh_stream());
    stage.put_past(&visit(stream, 3)).await;
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name).display().to_string();
    let audit = async |args: &[&str]| {
        let ran = run_on_aws(&stage, &[&["audit"], args, &["--json"]].concat(), &[]).await;
        (ran.code, serde_json::from_str::<Value>(&ran.out).unwrap_or(Value::from(ran.err)))
    };
    let (file, key) = (path("file"), path("key"));
    let (code, made) = audit(&["checkpoint", &file, "--key", &key]).await;
    assert_eq!((code, &made["commits"]), (Some(0), &json!(3)), "{made}");
    let (code, same) = audit(&["check", &file, "--key", &key, "--segments", "2"]).await;
    assert_eq!((code, &same["ok"]), (Some(0), &json!(true)), "{same}");
    remove(&stage, stream, 3).await;
    let verifier = made["verifier_key"].as_str().unwrap();
    let (code, found) = audit(&["check", &file, "--verifier-key", verifier]).await;
    assert_eq!((code, &found["bad"][0]["seq"]), (Some(1), &json!(3)), "{found}");

    stage.put_past(&visit(damaged, 2)).await;
    stage.overwrite(damaged, 1, "correlation", "altered").await;
    let (code, refused) = audit(&["checkpoint", &path("next"), "--key", &key]).await;
    assert_eq!((code, &refused["bad"][0]["stream"]), (Some(1), &json!(damaged.to_string())), "{refused}");
    assert!(!files.path().join("next").exists());
    let ran = run_on_aws(&stage, &["audit", "checkpoint", &path("next"), "--key", &key], &[]).await;
    assert_eq!(ran.out, format!("{damaged}@1: the commit's content does not match its hash\n"));

    let table = EVENTS.name(&stage.prefix);
    stage.dynamodb.delete_table().table_name(table).send().await.unwrap();
    let (code, unread) = audit(&["check", &file, "--verifier-key", verifier]).await;
    assert_eq!((code, &unread["ok"], &unread["streams"]), (Some(1), &Value::Null, &json!(1)), "{unread}");
    let ran = run_on_aws(&stage, &["audit", "check", &file, "--verifier-key", verifier], &[]).await;
    assert!(
        ran.code == Some(1) && ran.err.contains("whether it differs from the checkpoint is not known"),
        "{ran:?}"
    );
    assert!(ran.err.contains("check WAITLIST_PREFIX"), "{ran:?}");
}
