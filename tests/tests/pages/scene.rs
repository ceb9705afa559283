//! A server with browsers.

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use infra::{Clock, messenger::Outbox};
use serde_json::{Value, json};
use tempfile::TempDir;
use waitlist_tests::{
    browser::{Browser, DRIVER},
    endpoints::endpoint,
    process::{self, Server},
    stage::Answer,
};

pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const EMAIL: &str = "ana@example.com";

/// A server on a data directory of its own, with a first browser. Its clock is moved by [`Scene::advance`] alone; between moves
/// it runs on.
pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) browser: Browser,
    /// The server's data, deleted with the scene.
    pub(crate) directory: TempDir,
}

impl Scene {
    /// Returns `None` where there is no browser; the test then says that it is skipped.
    pub(crate) async fn new() -> Option<Self> {
        endpoint("pages", DRIVER)?;
        let directory = tempfile::tempdir().unwrap();
        let server = Server::start_with(directory.path(), &["--manual-clock"], &[]).await;
        let browser = Browser::open(&server.url).await;
        Some(Self { server, browser, directory })
    }

    /// Another browser, as on another device.
    pub(crate) async fn another(&self) -> Browser {
        Browser::open(&self.server.url).await
    }

    /// Sends a request outside of the browser.
    pub(crate) async fn send(&self, token: Option<&str>, method: &str, path: &str, body: Value) -> Answer {
        let body = (method != "GET").then_some(&body);
        self.server.send(token, method, path, body, &[]).await.unwrap()
    }

    /// Registers an account and signs it in outside of the browser; returns its access token.
    pub(crate) async fn account(&self) -> String {
        let registration = json!({ "email": EMAIL, "password": PASSWORD, "name": "Ana" });
        assert_eq!(self.send(None, "POST", "/v1/users", registration).await.status, 201);
        let tokens =
            self.send(None, "POST", "/v1/sessions", json!({ "email": EMAIL, "password": PASSWORD })).await;
        tokens.body["access_token"].as_str().unwrap().to_owned()
    }

    /// Like [`Scene::account`], with a confirmed address, so that it may send texts.
    pub(crate) async fn confirmed_account(&self) -> String {
        let account = self.account().await;
        let welcome = self.message("welcome").await;
        let (_, link) = welcome.split_once("/confirm#").unwrap();
        let token = link.split_whitespace().next().unwrap();
        assert_eq!(self.send(None, "POST", "/v1/users/confirm", json!({ "token": token })).await.status, 204);
        account
    }

    /// The newest message of a kind, once there is one.
    pub(crate) async fn message(&self, kind: &str) -> String {
        let outbox = Outbox::new(self.directory.path().join("outbox"), Clock::system());
        let sent = async || outbox.entries().ok()?.into_iter().rfind(|sent| sent.kind == kind);
        self.browser.until(sent).await.unwrap_or_else(|| panic!("no message {kind}")).body
    }

    /// Makes a list; returns its id.
    pub(crate) async fn list(&self, token: &str, name: &str) -> String {
        let settings =
            json!({ "name": name, "time_zone": "America/Los_Angeles", "region": "US", "quote_minutes": 10 });
        let made = self.send(Some(token), "POST", "/v1/waitlists", settings).await;
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// Registers an account, and signs it in in the browser as its sign-in page does. Returns an access token.
    pub(crate) async fn signed_in(&self) -> String {
        let access = self.account().await;
        self.browser.visit("/").await;
        self.browser.fill("#sign-in-email", EMAIL).await;
        self.browser.fill("#sign-in-password", PASSWORD).await;
        self.browser.click("#sign-in-form [type=submit]").await;
        let stored = "return localStorage.getItem('waitlist.session') !== null";
        let is_signed_in = async || (self.browser.run(stored, Vec::new()).await == true).then_some(());
        self.browser.until(is_signed_in).await.unwrap();
        access
    }

    /// Adds a party to a list; returns its id.
    pub(crate) async fn party(&self, token: &str, list: &str, party: Value) -> String {
        self.done(token, "POST", &format!("/v1/waitlists/{list}/waitees"), party).await.id()
    }

    /// Sends a request that succeeds.
    pub(crate) async fn done(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let answer = self.send(Some(token), method, path, body).await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        answer
    }

    /// Runs another command of the binary, which succeeds.
    pub(crate) async fn run(&self, arguments: &[&str]) {
        let ran = process::run(self.directory.path(), arguments, &[]).await;
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
    }

    /// Moves the server's clock on: `15m`.
    pub(crate) async fn advance(&self, by: &str) {
        self.run(&["clock", "advance", by]).await;
    }

    /// Clicks the button, or what opens details, that has this text and is shown.
    pub(crate) async fn press(&self, within: &str, text: &str) {
        let pressed = self.browser.until(async || {
            for element in self.browser.all(&format!("{within} button, {within} summary")).await {
                if element.text().await.is_ok_and(|shown| shown == text) && element.click().await.is_ok() {
                    return Some(());
                }
            }
            None
        });
        if pressed.await.is_none() {
            panic!("there is no {text:?} to press:\n{}", self.browser.body().await);
        }
    }

    /// A client of the server's engine.
    pub(crate) async fn dynamodb(&self) -> Client {
        Client::new(&process::engine(self.directory.path()).await)
    }

    /// Changes an attribute of a stored commit, as nothing in the code can.
    pub(crate) async fn overwrite(&self, stream: &str, seq: u64, attribute: &str, value: &str) {
        let key = [
            ("stream".to_owned(), AttributeValue::S(stream.to_owned())),
            ("seq".to_owned(), AttributeValue::N(seq.to_string())),
        ];
        let update =
            self.dynamodb().await.update_item().table_name("waitlist-events").set_key(Some(key.into()));
        let update = update
            .update_expression("SET #attribute = :value")
            .expression_attribute_names("#attribute", attribute);
        update
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
            .send()
            .await
            .unwrap();
    }

    /// Ends the browser and then the server. Fails if a page did what no page may do.
    pub(crate) async fn end(self) {
        self.browser.close().await;
        assert_eq!(self.server.interrupt().await, Some(0));
    }
}
