//! Starting the server: what it says to programs, and what it says when it cannot start.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use waitlist_tests::binaries::built;

use crate::place::Place;

/// How long a server may take to find out that it cannot start. One that does start would never end by itself.
const REFUSAL_MAX: Duration = Duration::from_secs(60);

fn serve(place: &Place, data_dir: &Path, env: &[(&str, &str)], args: &[&str]) -> Command {
    let mut command = Command::new(built("waitlist"));
    command.args(["serve", "--data-dir"]).arg(data_dir).args(args);
    command.env("WAITLIST_PREFIX", &place.prefix).envs(env.iter().copied()).stdin(Stdio::null());
    command
}

/// It does not start, and says on standard error what is wrong, naming what is at fault.
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
    does_not_start(serve(&place, &occupied, &[], &free), &format!("write {}", occupied.join("server.json").display())).await;

    let data = dir.join("data");
    does_not_start(serve(&place, &data, &[], &["--listen", "192.0.2.1:0"]), "--listen 192.0.2.1:0: this machine has no such address").await;
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    does_not_start(serve(&place, &data, &[], &["--listen", &taken]), &format!("{taken} is taken by another process")).await;
    does_not_start(serve(&place, &data, &[("WAITLIST_PREFIX", "wait list")], &free), "WAITLIST_PREFIX: no table can be named").await;
    let limits = [("WAITLIST_LIMITS", "sign-ins=3/1m")];
    does_not_start(serve(&place, &data, &limits, &free), "WAITLIST_LIMITS: \"sign-ins\" is none of sign-in-account, ").await;
    let limits = [("WAITLIST_LIMITS", "sign-in-account=3/25h")];
    let allowed =
        "WAITLIST_LIMITS: \"sign-in-account=3/25h\" is no bound; write it as sign-in-account=10/15m: 1 to 1000000 tries in 1s to 24h";
    does_not_start(serve(&place, &data, &limits, &free), allowed).await;
    for origin in ["https://host.example/", "https://host.example/app", "host.example"] {
        let named = format!("WAITLIST_CORS_ORIGINS: {origin:?} is no origin");
        does_not_start(serve(&place, &data, &[("WAITLIST_CORS_ORIGINS", origin)], &free), &named).await;
    }
}

#[tokio::test]
async fn a_program_reads_on_one_line_where_the_server_listens_and_a_token() {
    let place = Place::new();
    let mut command = serve(&place, place.path(), &[], &["--listen", "127.0.0.1:0", "--json"]);
    let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let (first, mut lines) = tokio::task::spawn_blocking(move || (lines.next().unwrap().unwrap(), lines)).await.unwrap();
    let said: Value = serde_json::from_str(&first).unwrap();
    let (url, token) = (said["listening"].as_str().unwrap(), said["token"].as_str().unwrap());
    let lists = reqwest::Client::new().get(format!("{url}/v1/waitlists")).bearer_auth(token).send().await.unwrap();
    assert_eq!(lists.status(), 200);

    server.kill().unwrap();
    server.wait().unwrap();
    assert!(lines.next().is_none(), "and nothing else");
}
