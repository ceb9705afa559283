//! Generated commands of a night, the same for the same seed. Several clients send them at once, each command
//! twice.

use std::{
    env,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::{Map, Value, json};
use tokio::sync::watch;
use waitlist_tests::stage::Answer;

/// How long a client waits for the server to restart.
const ABSENCE_MAX: Duration = Duration::from_secs(120);
/// How often a client repeats a request while the server answers 503.
const PATIENCE: usize = 30;
/// The most other commands of the same client between the two sends of a request.
const LATER_COMMANDS_MAX: usize = 12;

/// The number of parties, commands and clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) parties: usize,
    pub(crate) transitions: usize,
    pub(crate) clients: usize,
}

impl Size {
    /// Returns a whole night with WAITLIST_FULL=1, as in CI, and a short one otherwise.
    pub(crate) fn of_a_night() -> Self {
        if is_full() {
            Self { parties: 300, transitions: 2_000, clients: 16 }
        } else {
            Self { parties: 60, transitions: 400, clients: 16 }
        }
    }
}

/// Whether `WAITLIST_FULL=1` demands full sizes.
pub(crate) fn is_full() -> bool {
    env::var("WAITLIST_FULL").is_ok_and(|full| full == "1")
}

/// SplitMix64, a small generator that gives the same numbers on every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// The time of a request's second send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Together with the first.
    Concurrently,
    /// Right after the first was answered.
    Next,
    /// After this many other commands of the client.
    Later(usize),
}

/// A request with its own idempotency key.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) key: String,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(crate) again: Again,
}

/// A request and its answers; `None` where the connection broke.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    pub(crate) answers: Vec<Option<Answer>>,
}

fn request(
    random: &mut Random,
    key: String,
    method: &'static str,
    path: String,
    body: Option<Value>,
) -> Request {
    let again = match random.below(4) {
        0 => Again::Concurrently,
        1 => Again::Next,
        _ => Again::Later(1 + random.below(LATER_COMMANDS_MAX)),
    };
    Request { key, method, path, body, again }
}

/// Returns requests that create this many lists.
pub(crate) fn lists(count: usize) -> Vec<Request> {
    let creation = |number| {
        let body =
            json!({ "name": format!("Room {number}"), "time_zone": "America/Los_Angeles", "region": "US" });
        Request {
            key: format!("list-{number}"),
            method: "POST",
            path: "/v1/waitlists".into(),
            body: Some(body),
            again: Again::Next,
        }
    };
    (0..count).map(creation).collect()
}

/// Returns requests of parties to join these lists.
pub(crate) fn joins(random: &mut Random, lists: &[String], count: usize) -> Vec<Request> {
    let join = |number: usize| {
        let mut body = details(random, number);
        body.insert("name".into(), json!(format!("Party {number} ö{}", random.below(1_000))));
        body.insert("party_size".into(), json!(1 + random.below(12)));
        let path = format!("/v1/waitlists/{}/waitees", lists[number % lists.len()]);
        request(random, format!("join-{number}"), "POST", path, Some(body.into()))
    };
    (0..count).map(join).collect()
}

/// Returns some optional fields of a party. There are few numbers, so that some parties share one.
fn details(random: &mut Random, number: usize) -> Map<String, Value> {
    let mut body = Map::new();
    for (field, value) in [
        ("phone", json!(format!("+1415555{}", 2600 + random.below(40)))),
        ("email", json!(format!("guest{number}@example.com"))),
        ("note", json!(format!("table {}\nby the window", random.below(50)))),
        ("quoted_minutes", json!(random.below(60))),
    ] {
        if random.one_in(2) {
            body.insert(field.into(), value);
        }
    }
    body
}

/// Returns any commands of hosts on these parties, in no sensible order.
pub(crate) fn transitions(random: &mut Random, parties: &[String], count: usize) -> Vec<Request> {
    let transition = |number: usize| {
        let party = random.pick(parties).clone();
        let reason = random.one_in(4).then(|| json!({ "reason": format!("reason {number}") }));
        let (method, action, body) = match random.below(100) {
            0..20 => ("POST", "/call", None),
            20..30 => ("POST", "/confirm", reason),
            30..42 => ("POST", "/seat", reason),
            42..47 => ("POST", "/leave", reason),
            47..52 => ("POST", "/remove", reason),
            52..57 => ("POST", "/no-show", reason),
            57..76 => ("POST", "/restore", reason),
            76..90 => {
                ("POST", "/move", Some(json!({ *random.pick(&["before", "after"]): random.pick(parties) })))
            }
            _ => ("PATCH", "", Some(patch(random, number))),
        };
        request(random, format!("transition-{number}"), method, format!("/v1/waitees/{party}{action}"), body)
    };
    (0..count).map(transition).collect()
}

fn patch(random: &mut Random, number: usize) -> Value {
    let mut body = details(random, number);
    for field in ["phone", "email", "note", "quoted_minutes"] {
        if random.one_in(5) {
            body.insert(field.into(), Value::Null);
        }
    }
    if random.one_in(3) {
        body.insert("name".into(), json!(format!("Renamed {number}")));
    }
    if random.one_in(3) {
        body.insert("party_size".into(), json!(1 + random.below(12)));
    }
    body.into()
}

/// Sends the clients' requests to the server's current address.
#[derive(Clone)]
pub(crate) struct Door {
    url: watch::Receiver<String>,
    token: String,
    http: reqwest::Client,
}

impl Door {
    pub(crate) fn new(url: watch::Receiver<String>, token: String) -> Self {
        Self { url, token, http: reqwest::Client::new() }
    }

    /// Sends a request, and repeats it while the server answers 503. A broken connection gives `None` once
    /// the server has a new address.
    async fn send(&self, request: &Request) -> Option<Answer> {
        for _ in 0..PATIENCE {
            let url = self.url.borrow().clone();
            let Some(answer) = self.try_send(&url, request).await else {
                let back = self.url.clone().wait_for(|now| *now != url).await.is_ok();
                assert!(back, "the server was not restarted");
                return None;
            };
            if answer.status != 503 {
                return Some(answer);
            }
            let seconds = answer.header("retry-after").parse().unwrap();
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
        panic!("the server stays unavailable to {request:?}");
    }

    async fn try_send(&self, url: &str, request: &Request) -> Option<Answer> {
        let mut asked = self.http.request(request.method.parse().unwrap(), format!("{url}{}", request.path));
        asked = asked.bearer_auth(&self.token).header("idempotency-key", &request.key);
        if let Some(body) = &request.body {
            asked = asked.json(body);
        }
        exchange(asked).await
    }
}

/// Sends a request. `None` if the connection breaks.
pub(crate) async fn exchange(request: reqwest::RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.ok()?;
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    Some(Answer { status, headers, body })
}

/// Divides the requests among clients that run concurrently. Each client sends its requests in order, each
/// twice. Counts the answers.
pub(crate) async fn play(
    door: &Door,
    requests: Vec<Request>,
    clients: usize,
    answered: &AtomicUsize,
) -> Vec<Exchange> {
    let mut shares: Vec<Vec<Request>> = vec![Vec::new(); clients];
    for (number, request) in requests.into_iter().enumerate() {
        shares[number % clients].push(request);
    }
    let all = futures::future::join_all(shares.into_iter().map(|share| client(door, share, answered)));
    let exchanges = tokio::time::timeout(ABSENCE_MAX * 5, all).await.expect("the clients finish in time");
    exchanges.into_iter().flatten().collect()
}

async fn client(door: &Door, share: Vec<Request>, answered: &AtomicUsize) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut due: Vec<(usize, usize)> = Vec::new(); // the turn of a second send, and its exchange
    let send = async |request: &Request| {
        let answer = door.send(request).await;
        answered.fetch_add(1, Ordering::SeqCst);
        answer
    };
    let end = share.len() + LATER_COMMANDS_MAX;
    let mut share = share.into_iter();
    for turn in 0..=end {
        for (_, exchange) in due.extract_if(.., |(when, _)| *when <= turn).collect::<Vec<_>>() {
            let again = send(&exchanges[exchange].request).await;
            exchanges[exchange].answers.push(again);
        }
        let Some(request) = share.next() else { continue };
        let answers = match request.again {
            Again::Concurrently => {
                let (one, other) = futures::join!(send(&request), send(&request));
                vec![one, other]
            }
            Again::Next => vec![send(&request).await, send(&request).await],
            Again::Later(commands) => {
                due.push((turn + commands, exchanges.len()));
                vec![send(&request).await]
            }
        };
        exchanges.push(Exchange { request, answers });
    }
    exchanges
}
