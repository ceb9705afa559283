//! Operators who read an account's history on the command line.

use infra::http::Principal;
use schema::reading::stream_of;
use serde_json::{Value, json};
use waitlist_tests::{account::PASSWORD, process::run_on_aws, stage::Stage};

use super::{events, page};
use crate::place::Place;

#[tokio::test]
async fn an_operator_reads_what_the_owner_reads_and_the_owner_sees_it() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let person = json!({ "email": "ana@example.com", "password": PASSWORD, "name": "Ana" });
    let account = server.send(None, "POST", "/v1/users", Some(&person), &[]).await.unwrap().id();
    let token = server.token(account.parse().unwrap());
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let list = server.send(Some(&token), "POST", "/v1/waitlists", Some(&list), &[]).await.unwrap().id();
    let party = json!({ "name": "Ben", "party_size": 2 });
    let parties = format!("/v1/waitlists/{list}/waitees");
    let party = server.send(Some(&token), "POST", &parties, Some(&party), &[]).await.unwrap().id();

    let filter = ["--target", &format!("waitee-{party}"), "--action", "waitee.*"];
    let ran =
        place.run(&[&["audit", "--account", &account, "--by", "cleo", "--json"], &filter[..]].concat()).await;
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let read: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(read["items"][0]["data"]["name"], "Ben");
    let path = format!("/v1/audit?target=waitee-{party}&action=waitee.*");
    let owners = server.send(Some(&token), "GET", &path, None, &[]).await.unwrap();
    assert_eq!((owners.status, &owners.body["items"]), (200, &read["items"]));

    let path = "/v1/audit?actor=system:operator";
    let seen = server.send(Some(&token), "GET", path, None, &[]).await.unwrap().body;
    assert_eq!(events(&seen), [("access.history-read".to_owned(), format!("access-{account}"))]);
    let arguments =
        json!({ "action": "waitee.*", "limit": "50", "order": "desc", "target": format!("waitee-{party}") });
    assert_eq!(seen["items"][0]["data"], json!({ "by": "cleo", "command": "audit", "arguments": arguments }));

    let table = place.run(&[&["audit", "--account", &account], &filter[..]].concat()).await;
    assert_eq!(table.code, Some(0), "{table:?}");
    let line = table.out.lines().next().unwrap();
    for shown in ["waitee.joined", &format!("user:{account}"), &format!("waitee-{party}@1"), "Ben"] {
        assert!(line.contains(shown), "{shown} in {line}");
    }
    let first = place.run(&["audit", "--account", &account, "--limit", "1"]).await;
    let cursor = first.out.lines().last().unwrap().strip_prefix("there is more: --cursor ").unwrap();
    let second = place.run(&["audit", "--account", &account, "--cursor", cursor, "--limit", "1"]).await;
    assert!(second.code == Some(0) && second.out != first.out, "{second:?}");

    let unknown = uuid::Uuid::from_u128(7).to_string();
    let ran = place.run(&["audit", "--account", &unknown]).await;
    assert_eq!((ran.code, ran.err), (Some(1), format!("error: there is no account {unknown}\n")));
    for wrong in
        [["--action", "vanished"], ["--from", "yesterday"], ["--limit", "0"], ["--order", "up"], ["--by", ""]]
    {
        let ran = place.run(&[&["audit", "--account", &account], &wrong[..]].concat()).await;
        assert!(ran.code == Some(2) && ran.err.contains(wrong[0]), "{ran:?}");
    }
    for (by, why) in [
        ("a\nb", "must not contain control characters"),
        ("a\u{202e}b", "must not contain invisible characters"),
        ("a\u{200b}b", "must not contain invisible characters"),
    ] {
        let ran = place.run(&["audit", "--account", &account, "--by", by]).await;
        assert!(ran.code == Some(2) && ran.err.contains(why), "{ran:?}");
    }
    assert_eq!(place.run(&["audit"]).await.code, Some(0), "there is one account alone");
    let both = ["audit", "--account", &account, "--email", "ana@example.com"];
    assert_eq!(place.run(&both).await.code, Some(2), "an account is named once");
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn an_option_overrides_the_account_of_the_environment() {
    let stage = Stage::new().await;
    let (account, unknown) = (stage.account().await, uuid::Uuid::from_u128(7).to_string());
    for (named, args, code, why) in [
        (account.id.to_string(), ["--limit", "1"], 0, ""),
        (unknown.clone(), ["--limit", "1"], 1, "there is no account 0000"),
        (unknown.clone(), ["--account", &account.id.to_string()], 0, ""),
        (account.id.to_string(), ["--email", "nobody@example.com"], 1, "no account has this e-mail address"),
        ("ana".to_owned(), ["--limit", "1"], 2, "WAITLIST_ACCOUNT must be a UUID"),
    ] {
        let ran =
            run_on_aws(&stage, &[&["audit"], &args[..]].concat(), &[("WAITLIST_ACCOUNT", &named)]).await;
        assert!(ran.code == Some(code) && ran.err.contains(why), "{named} {args:?}: {ran:?}");
    }
}

#[tokio::test]
async fn a_place_without_a_registered_account_says_that_audit_needs_one() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let ran = place.run(&["audit"]).await;
    assert!(ran.code == Some(1) && ran.err.contains("no account is registered yet"), "{ran:?}");
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn seven_readings_leave_the_owner_signed_in() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let id = account.id.to_string();
    for _ in 0..7 {
        let ran = run_on_aws(&stage, &["audit", "--by", "cleo"], &[("WAITLIST_ACCOUNT", &id)]).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    assert_eq!(stage.commits(stream_of(account.id)).await.len(), 7);
    assert!(matches!(stage.principal(&account.access).await, Principal::User { .. }));
    assert_eq!(stage.refresh(&account.refresh).await.status, 200);
    stage.backend.clock.set(infra::Clock::system().now());
    let owner = stage.owner_with(account.id, None);
    assert_eq!(events(&page(&owner, "action=access.*").await).len(), 7);
}
