//! Starting the server: its output for programs, and its errors when it cannot start.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use waitlist_tests::{
    binaries::built,
    process::{CARRIERS, run},
};

use crate::place::{Place, is_external};

/// The longest time for a server to fail. A server that starts would never end by itself.
const REFUSAL_MAX: Duration = Duration::from_secs(60);

pub(crate) fn serve(place: &Place, data_dir: &Path, env: &[(&str, &str)], args: &[&str]) -> Command {
    let mut command = Command::new(built("waitlist"));
    for carrier in CARRIERS {
        command.env_remove(carrier);
    }
    command.args(["serve", "--data-dir"]).arg(data_dir).args(args);
    command.envs(place.env()).envs(env.iter().copied()).stdin(Stdio::null());
    command
}

/// Asserts that the server does not start and that its error names the path or setting at fault.
async fn does_not_start(mut command: Command, named: &str) {
    let ended = tokio::task::spawn_blocking(move || {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = std::time::Instant::now();
        while child.try_wait().unwrap().is_none() && begun.elapsed() < REFUSAL_MAX {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ended_already = child.kill();
        child.wait_with_output().unwrap()
    });
    let Output { status, stdout, stderr } = ended.await.unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert_eq!((status.code(), stdout.as_slice()), (Some(1), &[][..]), "{named}: {said}");
    assert!(said.starts_with("error: ") && said.contains(named), "{named:?} is not in: {said}");
}

#[tokio::test]
async fn a_server_that_cannot_start_names_the_path_or_setting_at_fault() {
    let place = Place::new();
    let dir = place.path();
    let free = ["--listen", "127.0.0.1:0"];

    let file = dir.join("file");
    fs::write(&file, "").unwrap();
    does_not_start(serve(&place, &file, &[], &free), &format!("use {} for data", file.display())).await;

    let occupied = dir.join("occupied");
    fs::create_dir_all(occupied.join("server.json/inside")).unwrap();
    does_not_start(
        serve(&place, &occupied, &[], &free),
        &format!("write {}", occupied.join("server.json").display()),
    )
    .await;

    let data = dir.join("data");
    does_not_start(
        serve(&place, &data, &[], &["--listen", "192.0.2.1:0"]),
        "--listen 192.0.2.1:0: this machine does not have this address",
    )
    .await;
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    does_not_start(
        serve(&place, &data, &[], &["--listen", &taken]),
        &format!("{taken} is in use by another process"),
    )
    .await;
    does_not_start(
        serve(&place, &data, &[("WAITLIST_PREFIX", "wait list")], &free),
        "WAITLIST_PREFIX: a table cannot be named",
    )
    .await;
    let limits = [("WAITLIST_LIMITS", "sign-ins=3/1m")];
    does_not_start(
        serve(&place, &data, &limits, &free),
        "WAITLIST_LIMITS: \"sign-ins\" is not a kind of attempt; use one of sign-in-account, ",
    )
    .await;
    let limits = [("WAITLIST_LIMITS", "sign-in-account=3/25h")];
    let allowed = "WAITLIST_LIMITS: \"sign-in-account=3/25h\" is not a bound; write it as sign-in-account=10/15m: 1 to 1000000 attempts in 1s to 24h";
    does_not_start(serve(&place, &data, &limits, &free), allowed).await;
    for origin in ["https://host.example/", "https://host.example/app", "host.example"] {
        let named = format!("WAITLIST_CORS_ORIGINS: {origin:?} is not an origin");
        does_not_start(serve(&place, &data, &[("WAITLIST_CORS_ORIGINS", origin)], &free), &named).await;
    }
}

#[tokio::test]
async fn settings_of_messages_are_checked_before_anything_starts() {
    let place = Place::new();
    let (data, free) = (place.path().join("data"), ["--listen", "127.0.0.1:0"]);
    let queue = ("WAITLIST_DELIVERIES_URL", "http://127.0.0.1:1/deliveries");
    let dead = ("WAITLIST_DELIVERIES_DEAD_URL", "http://127.0.0.1:1/dead");
    let ses = ("AWS_ENDPOINT_URL_SESV2", "http://127.0.0.1:1");
    let from = ("WAITLIST_MAIL_FROM", "hello@example.com");
    for (env, named) in [
        (
            &[("WAITLIST_PUBLIC_URL", "waitlist.example")][..],
            "WAITLIST_PUBLIC_URL must be http:// or https://",
        ),
        (&[dead], "set WAITLIST_DELIVERIES_URL"),
        (&[ses], "set WAITLIST_MAIL_FROM"),
        (
            &[ses, ("WAITLIST_MAIL_FROM", "Waitlist hello@example.com")],
            "WAITLIST_MAIL_FROM must be one address",
        ),
        (&[ses, from, ("AWS_REGION", "")], "set AWS_REGION"),
        (&[queue, dead, ("AWS_REGION", "")], "set AWS_REGION"),
    ] {
        if named == "set AWS_REGION" && is_external() {
            continue; // an external engine needs the region earlier
        }
        let mut command = serve(&place, &data, env, &free);
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        does_not_start(command, named).await;
    }
}

#[tokio::test]
async fn commands_create_no_directory_and_a_second_server_names_the_first() {
    let place = Place::new();
    let typo = place.path().join("typo");
    let commands: [&[&str]; 5] = [
        &["tick"],
        &["outbox"],
        &["dead-letters", "list"],
        &["clock", "advance", "1m"],
        &["token", "--owner", &uuid::Uuid::nil().to_string()],
    ];
    for command in commands {
        let ran = run(&typo, command, &[]).await;
        assert!(
            ran.code == Some(1) && ran.err.contains("there is no data directory"),
            "{command:?}: {ran:?}"
        );
    }
    assert!(!typo.exists());
    if is_external() {
        println!("SKIPPED data-dir: an engine of its own is what locks a data directory");
        return;
    }
    let server = place.serve(&[]).await;
    does_not_start(serve(&place, place.path(), &[], &["--listen", "127.0.0.1:0"]), &server.url).await;
    assert_eq!(place.run(&["outbox"]).await.out, "no messages\n");
}

#[tokio::test]
async fn a_lost_key_is_named_and_not_replaced() {
    if is_external() {
        println!("SKIPPED lost-key: the data of another engine do not tell that a key was lost");
        return;
    }
    let place = Place::new();
    assert_eq!(place.serve(&[]).await.interrupt().await, Some(0));
    let keys = place.path().join("keys");
    for name in ["master", "claims"] {
        let (key, kept) = (keys.join(name), keys.join("kept"));
        fs::rename(&key, &kept).unwrap();
        let named = format!("read the key {}", key.display());
        does_not_start(serve(&place, place.path(), &[], &["--listen", "127.0.0.1:0"]), &named).await;
        let ran = place.run(&["tick"]).await;
        assert!(ran.code == Some(1) && ran.err.contains(&named), "{ran:?}");
        assert!(!key.exists());
        fs::rename(kept, key).unwrap();
    }
    let readable = keys.join("master");
    fs::set_permissions(&readable, fs::Permissions::from_mode(0o644)).unwrap();
    does_not_start(serve(&place, place.path(), &[], &["--listen", "127.0.0.1:0"]), "chmod 600").await;
    fs::set_permissions(readable, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(place.serve(&[]).await.interrupt().await, Some(0));
}

#[tokio::test]
async fn the_first_line_of_json_output_has_the_address_and_a_token() {
    let place = Place::new();
    let mut command = serve(&place, place.path(), &[], &["--listen", "127.0.0.1:0", "--json"]);
    let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let (first, mut lines) =
        tokio::task::spawn_blocking(move || (lines.next().unwrap().unwrap(), lines)).await.unwrap();
    let said: Value = serde_json::from_str(&first).unwrap();
    let (url, token) = (said["listening"].as_str().unwrap(), said["token"].as_str().unwrap());
    let lists =
        reqwest::Client::new().get(format!("{url}/v1/waitlists")).bearer_auth(token).send().await.unwrap();
    assert_eq!(lists.status(), 200);

    server.kill().unwrap();
    server.wait().unwrap();
    assert!(lines.next().is_none(), "one line of output");
}
