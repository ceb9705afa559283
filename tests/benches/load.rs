//! Measures the local server: joins, calls and boards per second, the time from the answer to a write until a read
//! without a Sync-Token shows it, and memory.
//!
//! `cargo bench --bench load` (release; some minutes). `WAITLIST_JOINS`, `WAITLIST_BOARDS`, `WAITLIST_WRITES` and
//! `WAITLIST_REQUESTS` set the sizes, so that it can be tried small with `--profile dev`. The clients run in this process,
//! on the same cores as the server.

use std::{
    env,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use reqwest::Method;
use schema::UserId;
use serde_json::{Value, json};
use uuid::Uuid;
use waitlist_tests::{cpu::cpu_seconds, process::Server};

const CLIENTS: usize = 8;
const SMALL_BOARD: usize = 30;
const LARGE_BOARD: usize = 200;
/// The longest time until a read shows a write.
const SHOWN_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);
/// How long the idle server's processor time is measured.
const IDLE: Duration = Duration::from_secs(10);
/// The requests of a mixed load, of which one is a write.
const MIXED: usize = 10;

/// The number of requests of each kind.
struct Sizes {
    joins: usize,
    boards: usize,
    writes: usize,
    /// All requests before memory is measured again.
    requests: usize,
}

#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

struct Request {
    method: Method,
    path: String,
    body: Value,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let sizes = Sizes {
        joins: size("WAITLIST_JOINS", 2_000).max(LARGE_BOARD),
        boards: size("WAITLIST_BOARDS", 2_000),
        writes: size("WAITLIST_WRITES", 1_000),
        requests: size("WAITLIST_REQUESTS", 100_000),
    };
    let directory = tempfile::tempdir().expect("a directory");
    let server = Server::start(directory.path(), &[]).await;
    let client = Client {
        http: reqwest::Client::new(),
        url: server.url.clone(),
        token: server.token(UserId(Uuid::from_u128(1))),
    };
    println!("{}", idle(&server).await);
    println!("resident at the start: {}", resident(&server));
    println!("\n| requests | number | per second | p50, ms | p99, ms |\n|---|---|---|---|---|");

    let small = client.list().await;
    let on_small = client.all((0..SMALL_BOARD).map(|_| join(&small)).collect()).await.ids();
    let mut large = Vec::new();
    for _ in 0..sizes.joins.div_ceil(LARGE_BOARD) {
        large.push(client.list().await);
    }
    let joins = (0..sizes.joins).map(|number| join(&large[number / LARGE_BOARD])).collect();
    let joined = client.all(joins).await;
    joined.print("joins by a host");
    let parties = joined.ids();
    client.all(parties.iter().map(|party| post(party, "call")).collect()).await.print("calls");
    for (list, parties) in [(&small, SMALL_BOARD), (&large[0], LARGE_BOARD)] {
        client.until_shown(list, parties).await;
        let boards = (0..sizes.boards).map(|_| board(list)).collect();
        client.all(boards).await.print(&format!("boards of {parties}"));
    }
    let (plain, shown) = client.shown_after(&on_small, sizes.writes).await;
    plain.print("writes, one at a time");
    shown.print("from a write's answer until a plain read shows it");

    let sent = SMALL_BOARD + 2 * sizes.joins + 2 * sizes.boards + 2 * sizes.writes;
    println!("\nresident after {sent} requests: {}", resident(&server));
    let mixed: Vec<Request> = (sent..sizes.requests).map(|number| any(number, &small, &parties)).collect();
    if !mixed.is_empty() {
        client.all(mixed).await;
        println!("resident after {} requests: {}", sizes.requests, resident(&server));
    }
}

fn size(name: &str, usual: usize) -> usize {
    env::var(name).map_or(usual, |size| size.parse().expect("a number"))
}

fn resident(server: &Server) -> String {
    server.resident_kib().map_or("unknown".into(), |kib| format!("{} MB", kib / 1_024))
}

async fn idle(server: &Server) -> String {
    let process = server.id().to_string();
    let before = cpu_seconds(&process);
    tokio::time::sleep(IDLE).await;
    let used = cpu_seconds(&process) - before;
    format!("idle: {:.1} % of a core for {} s", 100.0 * used / IDLE.as_secs_f64(), IDLE.as_secs())
}

fn join(list: &str) -> Request {
    let body = json!({ "name": "Ana María González", "party_size": 4, "note": "high chair" });
    Request { method: Method::POST, path: format!("/v1/waitlists/{list}/waitees"), body }
}

fn post(party: &str, action: &str) -> Request {
    Request { method: Method::POST, path: format!("/v1/waitees/{party}/{action}"), body: json!({}) }
}

fn resize(party: &str, party_size: usize) -> Request {
    let body = json!({ "party_size": party_size });
    Request { method: Method::PATCH, path: format!("/v1/waitees/{party}"), body }
}

fn get(path: String) -> Request {
    Request { method: Method::GET, path, body: Value::Null }
}

fn board(list: &str) -> Request {
    get(format!("/v1/waitlists/{list}/waitees?limit={LARGE_BOARD}"))
}

fn read(body: &Bytes) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

fn id(body: &Bytes) -> String {
    read(body)["id"].as_str().expect("an id").to_owned()
}

/// A request of a usual mixture: one write in ten, the rest reads of boards, parties and the list as guests see it.
fn any(number: usize, list: &str, parties: &[String]) -> Request {
    let party = &parties[number / MIXED % parties.len()];
    match number % MIXED {
        0 => resize(party, 1 + number / MIXED / parties.len() % 9),
        1..4 => board(list),
        4 | 5 => get(format!("/v1/public/waitlists/{list}")),
        _ => get(format!("/v1/waitees/{party}")),
    }
}

/// Answers with their times.
struct Answers {
    /// As they were sent, because parsing boards would take the server's time.
    bodies: Vec<Bytes>,
    times: Vec<Duration>,
    wall: Duration,
}

impl Answers {
    fn ids(&self) -> Vec<String> {
        self.bodies.iter().map(id).collect()
    }

    fn print(&self, what: &str) {
        let mut times = self.times.clone();
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
        let per_second = times.len() as f64 / self.wall.as_secs_f64();
        println!("| {what} | {} | {per_second:.0} | {:.1} | {:.1} |", times.len(), at(50), at(99));
    }
}

impl Client {
    /// Sends a request and returns the body of its answer, which must be a success.
    async fn send(&self, request: &Request) -> Bytes {
        let mut sent = self.http.request(request.method.clone(), format!("{}{}", self.url, request.path));
        if request.method != Method::GET {
            sent = sent.json(&request.body);
        }
        let answer = sent.bearer_auth(&self.token).send().await.expect("an answer");
        let (status, bytes) = (answer.status(), answer.bytes().await.expect("a body"));
        assert!(status.is_success(), "{status} {}", String::from_utf8_lossy(&bytes));
        bytes
    }

    /// Sends the requests, several at once.
    async fn all(&self, requests: Vec<Request>) -> Answers {
        let begun = Instant::now();
        let sent = stream::iter(requests).map(|request| async move {
            let begun = Instant::now();
            (self.send(&request).await, begun.elapsed())
        });
        let (bodies, times) = sent.buffered(CLIENTS).unzip().await;
        Answers { bodies, times, wall: begun.elapsed() }
    }

    async fn list(&self) -> String {
        let settings = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "capacity": 400, "hold_minutes": 120 });
        let request = Request { method: Method::POST, path: "/v1/waitlists".into(), body: settings };
        id(&self.send(&request).await)
    }

    async fn until_shown(&self, list: &str, parties: usize) {
        let begun = Instant::now();
        while read(&self.send(&board(list)).await)["items"]
            .as_array()
            .is_none_or(|items| items.len() < parties)
        {
            assert!(begun.elapsed() < SHOWN_MAX, "the board does not show {parties} parties");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Changes one party after the other, and reads each until it shows the change. Returns the times of the writes, and
    /// those from their answers to the end of the first read that shows them.
    async fn shown_after(&self, parties: &[String], writes: usize) -> (Answers, Answers) {
        let (mut written, mut shown) = (Vec::new(), Vec::new());
        for number in 0..writes {
            let party = &parties[number % parties.len()];
            let write = Instant::now();
            let size = 1 + number / parties.len() % 9;
            let answer = self.send(&resize(party, size)).await;
            written.push(write.elapsed());
            let answered = Instant::now();
            let seq = read(&answer)["seq"].as_u64();
            while read(&self.send(&get(format!("/v1/waitees/{party}"))).await)["seq"].as_u64() < seq {
                assert!(answered.elapsed() < SHOWN_MAX, "a read does not show event {seq:?} of {party}");
            }
            shown.push(answered.elapsed());
        }
        let of = |times: Vec<Duration>| Answers { bodies: Vec::new(), wall: times.iter().sum(), times };
        (of(written), of(shown))
    }
}
