//! The metrics of a running server, and who may see them.

use std::{
    collections::BTreeMap,
    net::{IpAddr, UdpSocket},
    process::{Child, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use waitlist_tests::{account::PASSWORD, process::Server};

use crate::{
    dead_letters::dead,
    place::{Place, is_external},
    start::serve,
};

/// The longest time until a metric reaches the awaited value.
const ARRIVAL_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// The metrics that a server shows, by name with labels in their order.
pub(crate) struct Shown(BTreeMap<String, f64>);

impl Shown {
    pub(crate) async fn by(server: &Server) -> Self {
        let page = reqwest::get(format!("{}/metrics", server.url)).await.unwrap();
        assert_eq!(page.status(), 200);
        assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
        let text = page.text().await.unwrap();
        let values = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let values = values.map(|line| line.rsplit_once(' ').unwrap());
        Self(values.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect())
    }

    /// Waits until a metric is at least `least`.
    pub(crate) async fn when(server: &Server, name: &str, least: f64) -> Self {
        let reached = async {
            loop {
                let shown = Self::by(server).await;
                if shown.value(name) >= least {
                    return shown;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        let in_time = tokio::time::timeout(ARRIVAL_MAX, reached).await;
        in_time.unwrap_or_else(|_| panic!("{name} stays below {least}\n{}", server.logs()))
    }

    /// Waits until a metric is below `below`.
    pub(crate) async fn falls(server: &Server, name: &str, below: f64) -> Self {
        let fallen = async {
            loop {
                let shown = Self::by(server).await;
                if shown.value(name) < below {
                    return shown;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        let in_time = tokio::time::timeout(ARRIVAL_MAX, fallen).await;
        in_time.unwrap_or_else(|_| panic!("{name} stays at {below} or above\n{}", server.logs()))
    }

    /// A metric that was never observed is 0.
    pub(crate) fn value(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }
}

async fn send(server: &Server, token: Option<&str>, path: &str, body: Value) -> Value {
    let answer = server.send(token, "POST", path, Some(&body), &[]).await.unwrap();
    assert!(answer.status < 300, "{answer:?}");
    answer.body
}

#[tokio::test]
async fn the_metrics_follow_a_visit_from_the_request_to_the_message() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let person = json!({ "email": "ana@example.com", "password": PASSWORD, "name": "Ana" });
    send(&server, None, "/v1/users", person).await;
    let sent = "delivery_attempts{kind=\"welcome\",outcome=\"sent\"}";
    let appends = "append_milliseconds_count";
    let shown = Shown::when(&server, appends, 3.0).await;
    assert_eq!(shown.value(appends), 3.0, "registered, started and sent");
    // An attempt may be counted before the append of its outcome, or after it.
    let shown = Shown::when(&server, sent, 1.0).await;
    assert_eq!(shown.value(sent), 1.0);

    let credentials = json!({ "email": "ana@example.com", "password": PASSWORD });
    let session = send(&server, None, "/v1/sessions", credentials).await;
    let token = session["access_token"].as_str();
    let room = json!({ "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US" });
    let list = send(&server, token, "/v1/waitlists", room).await;
    let parties = format!("/v1/waitlists/{}/waitees", list["id"].as_str().unwrap());
    let party =
        send(&server, token, &parties, json!({ "name": "Ben", "party_size": 2, "phone": "(415) 555-2671" }))
            .await;
    send(&server, token, &format!("/v1/waitees/{}/call", party["id"].as_str().unwrap()), json!({})).await;
    let refused = server.send(None, "GET", "/v1/waitlists", None, &[]).await.unwrap();
    assert_eq!(refused.status, 401);

    // The account is not confirmed, so it may not send texts.
    let shown =
        Shown::when(&server, "delivery_attempts{kind=\"table-ready\",outcome=\"skipped\"}", 1.0).await;
    assert_eq!(shown.value("http_answers{class=\"2xx\"}"), 5.0);
    assert_eq!(shown.value("http_answers{class=\"4xx\"}"), 1.0);
    assert_eq!(shown.value("http_answers{class=\"5xx\"}"), 0.0);
    assert_eq!(shown.value("authorizer_decisions{decision=\"accepted\"}"), 1.0, "its answer is cached");
    for projection in ["users", "mails", "waitlists", "waitees"] {
        let lag = format!("feed_lag_milliseconds{{projection=\"{projection}\"}}");
        let lag = Shown::when(&server, &lag, 0.0).await.value(&lag);
        assert!((0.0..60_000.0).contains(&lag), "{projection}: {lag}");
    }
    let shown = Shown::when(&server, "tick_looks", 1.0).await;
    assert!(shown.value("tick_looked_at_seconds") > 1.7e9);
    assert_eq!(shown.value("altered_events") + shown.value("throttled_calls"), 0.0);
    assert_eq!(server.interrupt().await, Some(0));
}

#[tokio::test]
async fn a_dead_letter_is_shown_until_it_is_redriven() {
    let place = Place::new();
    let server = place.serve(&[]).await;
    let letters = "dead_letters{queue=\"retries\"}";
    assert_eq!(Shown::by(&server).await.value(letters), 0.0);
    let parked = json!({ "consumer": "projector", "stream": "waitee-01920000-0000-7000-8000-000000000000", "seq": 1, "cause": "the log ends before 1" });
    dead(&place, "retries", &parked.to_string()).await;
    assert_eq!(Shown::by(&server).await.value(letters), 1.0);
    let listed = place.run(&["dead-letters", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    let id = listed["items"][0]["id"].as_str().unwrap();
    assert_eq!(place.run(&["dead-letters", "redrive", id]).await.code, Some(0));
    assert_eq!(Shown::by(&server).await.value(letters), 0.0);
}

/// Kills the server at the end of a test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// This machine's address in a network, if it has one. Nothing is sent to find it.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|address| !address.is_loopback())
}

#[tokio::test]
async fn callers_from_a_network_see_no_metrics() {
    let Some(own) = own_address() else {
        println!("SKIPPED network-peer: this machine has no address in a network");
        return;
    };
    if is_external() {
        return; // the engine does not change who may see metrics, and this test starts the embedded one
    }
    let place = Place::new();
    let mut command = serve(&place, place.path(), &[], &["--listen", "0.0.0.0:0"]);
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    let _server = Killed(command.spawn().unwrap());
    let announced = async {
        loop {
            let text = std::fs::read_to_string(place.path().join("server.json")).unwrap_or_default();
            if let Ok(running) = serde_json::from_str::<Value>(&text) {
                return running["http"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let url = tokio::time::timeout(ARRIVAL_MAX, announced).await.unwrap();
    let port = url.rsplit_once(':').unwrap().1;
    let status = async |host: &str, path: &str| {
        reqwest::get(format!("http://{host}:{port}{path}")).await.unwrap().status().as_u16()
    };
    let own = own.to_string();
    assert_eq!(status("127.0.0.1", "/metrics").await, 200);
    assert_eq!(status(&own, "/healthz").await, 200, "the server serves the network");
    assert_eq!(status(&own, "/metrics").await, 404);
}
