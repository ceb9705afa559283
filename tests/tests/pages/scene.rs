//! A server with browsers.

use serde_json::{Value, json};
use tempfile::TempDir;
use waitlist_tests::{
    browser::{Browser, DRIVER},
    endpoints::endpoint,
    process::Server,
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

    /// Makes a list; returns its id.
    pub(crate) async fn list(&self, token: &str, name: &str) -> String {
        let settings =
            json!({ "name": name, "time_zone": "America/Los_Angeles", "region": "US", "quote_minutes": 10 });
        let made = self.send(Some(token), "POST", "/v1/waitlists", settings).await;
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// Ends the browser and then the server. Fails if a page did what no page may do.
    pub(crate) async fn end(self) {
        self.browser.close().await;
        assert_eq!(self.server.interrupt().await, Some(0));
    }
}
