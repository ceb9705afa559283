//! Moving the clock of a running server.

use std::os::unix::fs::PermissionsExt;

use infra::Clock;
use schema::{Time, UserId};
use serde_json::{Value, json};
use waitlist_tests::{account::PASSWORD, process::Server};

use crate::place::Place;

async fn status(server: &Server, token: &str) -> u16 {
    server.send(Some(token), "GET", "/v1/waitlists", None, &[]).await.unwrap().status
}

/// Moves the clock. Returns the new time.
async fn moved(place: &Place, args: &[&str]) -> Time {
    let ran = place.run(args).await;
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{args:?}");
    let said = ran.out.strip_suffix('\n').unwrap();
    said.parse().unwrap_or_else(|_| panic!("{said:?} is the time and nothing else"))
}

#[tokio::test]
async fn a_token_expires_when_the_clock_is_moved_past_its_expiry() {
    let place = Place::new();
    let server = place.serve_with(&["--manual-clock"], &[]).await;
    let owner = UserId(Clock::system().id(Clock::system().now())).to_string();
    let mint =
        async || place.run(&["token", "--owner", &owner, "--ttl", "15m"]).await.out.trim_end().to_owned();
    let before = Clock::system().now();
    let token = mint().await;
    assert_eq!(status(&server, &token).await, 200);
    let later = moved(&place, &["clock", "advance", "14m"]).await;
    assert!(later >= before.plus_minutes(14), "{later}");
    assert_eq!(status(&server, &token).await, 200);
    assert!(moved(&place, &["clock", "advance", "60s"]).await >= later.plus_minutes(1), "the clock runs on");
    assert_eq!(status(&server, &token).await, 401);

    let next_year = before.plus_minutes(365 * 24 * 60);
    assert_eq!(moved(&place, &["clock", "set", &next_year.to_string()]).await, next_year);
    let token = mint().await;
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let made = server.send(Some(&token), "POST", "/v1/waitlists", Some(&list), &[]).await.unwrap();
    assert_eq!(made.status, 201, "a token is minted by the server's clock: {made:?}");
    let history = server
        .send(Some(&token), "GET", &format!("/v1/waitlists/{}/history", made.id()), None, &[])
        .await
        .unwrap();
    let at: Time = history.body["items"][0]["at"].as_str().unwrap().parse().unwrap();
    assert!(at >= next_year && at < next_year.plus_minutes(5), "events have the moved time: {at}");

    let ran = place.run(&["clock", "advance", "1d", "--json"]).await;
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(
        said["now"].as_str().unwrap().parse::<Time>().unwrap() >= next_year.plus_minutes(24 * 60),
        "{said}"
    );
    assert_eq!(said.as_object().unwrap().len(), 1, "{said}");
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn a_revoked_token_is_accepted_for_at_most_a_minute_as_in_aws() {
    let place = Place::new();
    let server = place.serve_with(&["--manual-clock"], &[]).await;
    let person = json!({ "email": "ana@example.com", "password": PASSWORD, "name": "Ana" });
    assert_eq!(server.send(None, "POST", "/v1/users", Some(&person), &[]).await.unwrap().status, 201);
    let credentials = json!({ "email": "ana@example.com", "password": PASSWORD });
    let signed_in = server.send(None, "POST", "/v1/sessions", Some(&credentials), &[]).await.unwrap();
    let token = signed_in.body["access_token"].as_str().unwrap();
    assert_eq!(status(&server, token).await, 200);
    assert_eq!(
        server.send(Some(token), "DELETE", "/v1/sessions/current", None, &[]).await.unwrap().status,
        204
    );
    assert_eq!(status(&server, token).await, 200, "the authorizer's answer is cached");
    moved(&place, &["clock", "advance", "60s"]).await;
    assert_eq!(status(&server, token).await, 401);
}

#[tokio::test]
async fn a_refused_move_of_the_clock_says_why() {
    let place = Place::new();
    let refused = async |args: &[&str], why: &str| {
        let ran = place.run(args).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{args:?}: {ran:?}");
        assert!(ran.err.contains(why), "{why:?} is not in: {}", ran.err);
    };
    let advance = ["clock", "advance", "1s"];
    refused(&advance, "no server runs on").await;

    let server = place.serve(&[]).await;
    refused(&advance, "cannot be moved").await;
    let announced = std::fs::read_to_string(place.path().join("server.json")).unwrap();
    assert!(!announced.contains("control"), "{announced}");
    assert_eq!(server.interrupt().await, Some(0));

    let server = place.serve_with(&["--manual-clock"], &[]).await;
    let mode = std::fs::metadata(place.path().join("server.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the file holds a secret");
    refused(
        &["clock", "set", "2020-01-01T00:00:00Z"],
        "cannot be set back: times in the log only move forward",
    )
    .await;
    refused(&["clock", "advance", "36500d"], "cannot be moved past").await;
    for wrong in [["clock", "set", "yesterday"], ["clock", "advance", "soon"]] {
        let ran = place.run(&wrong).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{wrong:?}");
        assert!(ran.err.contains("such as"), "{}", ran.err);
    }
    server.kill();
    refused(&advance, "does not answer").await;
}

#[tokio::test]
async fn commands_of_the_local_backend_are_refused_with_aws() {
    let place = Place::new();
    for args in [
        ["serve", "--aws"].as_slice(),
        &["--aws"],
        &["clock", "advance", "1s", "--aws"],
        &["--aws", "token", "--owner", "x"],
    ] {
        let ran = place.run(args).await;
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {ran:?}");
    }
    let ran = place.run(&["serve", "--aws"]).await;
    assert!(
        ran.err.contains("`waitlist serve` works only on the local backend; leave out --aws"),
        "{}",
        ran.err
    );
}
