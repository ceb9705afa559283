//! A host's evening: an account with a list, and browsers that show its board.

use std::time::Duration;

use serde_json::{Value, json};
use waitlist_tests::{browser::Browser, process};

use crate::scene::{EMAIL, PASSWORD, Scene};

/// The longest wait for the server to have done something.
const DONE_MAX: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);

pub(crate) struct Evening {
    pub(crate) scene: Scene,
    /// An access token, to call the API outside of the browsers.
    pub(crate) token: String,
    pub(crate) list: String,
}

impl Evening {
    /// Returns `None` where there is no browser.
    pub(crate) async fn new() -> Option<Self> {
        let scene = Scene::new().await?;
        let token = scene.account().await;
        let list = scene.list(&token, "Main room").await;
        Some(Self { scene, token, list })
    }

    /// Like [`Evening::new`], with parties of two and the board in the first browser.
    pub(crate) async fn with(names: &[&str]) -> Option<Self> {
        let evening = Self::new().await?;
        for name in names {
            evening.add(json!({ "name": name, "party_size": 2 })).await;
        }
        evening.board(&evening.scene.browser).await;
        Some(evening)
    }

    /// Adds a party outside of the browsers; returns its id.
    pub(crate) async fn add(&self, party: Value) -> String {
        let path = format!("/v1/waitlists/{}/waitees", self.list);
        let added = self.send("POST", &path, party).await;
        added["id"].as_str().unwrap().to_owned()
    }

    /// Sends a request that must succeed, outside of the browsers; returns the body of the answer.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.scene.send(Some(&self.token), method, path, body).await;
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.body);
        answer.body
    }

    /// Signs in by the form, and shows the board.
    pub(crate) async fn board(&self, browser: &Browser) {
        sign_in(browser).await;
        browser.visit(&format!("/board#{}", self.list)).await;
        browser.says("#heading", "Main room").await;
        browser.hidden("#loading").await;
    }

    /// The types of a party's events.
    pub(crate) async fn events(&self, party: &str) -> Vec<String> {
        let history = self.send("GET", &format!("/v1/waitees/{party}/history?limit=200"), Value::Null).await;
        let events = history["items"].as_array().unwrap();
        events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The number of a party's events of a type.
    pub(crate) async fn count(&self, party: &str, kind: &str) -> usize {
        self.events(party).await.iter().filter(|event| *event == kind).count()
    }

    /// Waits until a party has an event of a type.
    pub(crate) async fn has(&self, party: &str, kind: &str) {
        let waiting = async {
            while self.count(party, kind).await == 0 {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(DONE_MAX, waiting).await.unwrap_or_else(|_| panic!("{party} gets no {kind}"));
    }

    /// Confirms the account's e-mail address by the link of the welcome mail, so that texts are sent.
    pub(crate) async fn confirm(&self) {
        let waiting = async {
            loop {
                let outbox = process::run(self.scene.directory.path(), &["outbox", "--json"], &[]).await.out;
                if let Some((_, rest)) = outbox.split_once("confirm#") {
                    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
                    return rest.chars().take_while(|c| is_of_token(*c)).collect::<String>();
                }
                tokio::time::sleep(POLL).await;
            }
        };
        let token = tokio::time::timeout(DONE_MAX, waiting).await.expect("a welcome mail is sent");
        let token = token.trim_end_matches('.');
        let answer = self.scene.send(None, "POST", "/v1/users/confirm", json!({ "token": token })).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    /// The number of texts in the outbox.
    pub(crate) async fn texts(&self) -> usize {
        let outbox = process::run(self.scene.directory.path(), &["outbox", "--json"], &[]).await.out;
        outbox.matches("\"sms\"").count()
    }

    /// Signs in again outside of the browsers, with a fresh access token.
    pub(crate) async fn sign_in_again(&mut self) {
        let credentials = json!({ "email": EMAIL, "password": PASSWORD });
        let tokens = self.scene.send(None, "POST", "/v1/sessions", credentials).await;
        self.token = tokens.body["access_token"].as_str().unwrap().to_owned();
    }

    /// Moves the server's clock.
    pub(crate) async fn advance(&self, by: &str) {
        let moved = process::run(self.scene.directory.path(), &["clock", "advance", by], &[]).await;
        assert_eq!(moved.code, Some(0), "{}", moved.err);
    }
}

/// Signs in by the form.
pub(crate) async fn sign_in(browser: &Browser) {
    browser.visit("/").await;
    browser.fill("#sign-in-email", EMAIL).await;
    browser.fill("#sign-in-password", PASSWORD).await;
    browser.click("#sign-in-form [type=submit]").await;
    browser.shown("#lists a").await;
}

/// The button of a party's row, as CSS cannot name a row by its text: `nth` from 1.
pub(crate) fn button(nth: usize, command: &str) -> String {
    format!(".party:nth-child({nth}) [data-do='{command}']")
}

/// Opens a party's further buttons.
pub(crate) async fn more(browser: &Browser, nth: usize) {
    browser.click(&format!(".party:nth-child({nth}) [aria-controls]")).await;
}

/// The names on the board, in order.
pub(crate) async fn names(browser: &Browser) -> Vec<String> {
    let script = "return [...document.querySelectorAll('.party h2')].map((name) => name.textContent)";
    serde_json::from_value(browser.run(script, Vec::new()).await).unwrap()
}

/// Waits until the board shows these names in this order.
pub(crate) async fn shows(browser: &Browser, expected: &[&str]) {
    if browser.until(async || (names(browser).await == expected).then_some(())).await.is_none() {
        let names = names(browser).await;
        let waiting = "return document.getElementById('waiting-taps').textContent";
        let waiting = browser.run(waiting, Vec::new()).await;
        panic!("the board shows {names:?} and not {expected:?} ({waiting}):\n{}", browser.body().await);
    }
}

/// Makes the page lose the answers to requests whose path contains `part`, until [`keep_answers`]: they are sent and take effect.
/// Waits for nothing; [`lost`] does.
pub(crate) async fn lose_answers(browser: &Browser, part: &str) {
    let script = "const [part] = arguments; const send = window.fetch; window.losing = true; window.lost = 0; \
        window.fetch = async (url, options) => { \
            const answer = await send(url, options); \
            if (!window.losing || !String(url).includes(part)) return answer; \
            window.lost += 1; \
            throw new TypeError('the answer is lost'); }";
    browser.run(script, vec![json!(part)]).await;
}

/// Waits until the page has lost an answer.
pub(crate) async fn lost(browser: &Browser) {
    let lost = async || (browser.run("return window.lost > 0", Vec::new()).await == true).then_some(());
    browser.until(lost).await.expect("the page loses an answer");
}

pub(crate) async fn keep_answers(browser: &Browser) {
    browser.run("window.losing = false", Vec::new()).await;
}
