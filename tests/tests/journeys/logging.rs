//! Standard error that cannot be written stops neither a request nor the end of the server.

use std::{fs::File, io::pipe, process::Stdio};

use serde_json::json;

use crate::{night::owner, place::Place};

/// Enough requests to fill any pipe with log lines many times over.
const REQUESTS: usize = 200;

/// Serves requests with this standard error, and ends on SIGINT.
async fn serves_with(stderr: Stdio) {
    let place = Place::new();
    let env = [place.env(), vec![("RUST_LOG", "trace")]].concat();
    let server = waitlist_tests::process::Server::start_logging_to(stderr, place.path(), &[], &env).await;
    let token = server.token(owner());
    let list = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let made = server.send(Some(&token), "POST", "/v1/waitlists", Some(&list), &[]).await.unwrap();
    assert_eq!(made.status, 201, "{made:?}");
    let (path, seen) = (format!("/v1/waitlists/{}", made.id()), [("sync-token", made.header("sync-token"))]);
    for _ in 0..REQUESTS {
        let read = server.send(Some(&token), "GET", &path, None, &seen).await.unwrap();
        assert_eq!(read.status, 200);
    }
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn a_standard_error_that_is_closed_stops_nothing() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    serves_with(writer.into()).await;
}

#[tokio::test]
async fn a_standard_error_on_a_full_device_stops_nothing() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        println!("SKIPPED full-device: this system has no /dev/full");
        return;
    };
    serves_with(full.into()).await;
}

#[tokio::test]
async fn a_standard_error_that_is_not_read_stops_nothing() {
    let (unread, writer) = pipe().unwrap();
    serves_with(writer.into()).await;
    drop(unread);
}

#[tokio::test]
async fn a_failed_command_ends_although_its_standard_error_is_closed() {
    let place = Place::new();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut command = std::process::Command::new(waitlist_tests::binaries::built("waitlist"));
    let command = command.args(["clock", "advance", "1m", "--data-dir"]).arg(place.path()).stderr(writer);
    assert_eq!(command.status().unwrap().code(), Some(1));
}

#[tokio::test]
async fn a_command_whose_output_is_no_longer_read_ends_quietly_with_success() {
    let place = Place::new();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut command = std::process::Command::new(waitlist_tests::binaries::built("waitlist"));
    let command = command.args(["outbox", "--data-dir"]).arg(place.path()).stdout(writer);
    let ended = command.stderr(Stdio::piped()).output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}
