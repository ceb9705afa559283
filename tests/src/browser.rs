//! A headless Chromium, driven over WebDriver. `.ci/with-chromium COMMAND...` installs and starts the driver.

use std::{env, fs, path::Path, time::Duration};

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::webdriver::{Refused, Session};

/// The variable with the address of the browser's driver.
pub const DRIVER: &str = "WAITLIST_WEBDRIVER";

/// The longest wait for a page to show something. Pages poll each 2 to 10 s; a busy machine is slower.
const SHOWN_MAX: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// Set to any value, it makes the tests write the screenshots of the documentation.
const UPDATE: &str = "UPDATE_SCREENSHOTS";

/// The rules that a page must meet: WCAG 2.2, levels A and AA.
const WCAG: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];

/// A browser with a profile of its own.
pub struct Browser {
    session: Session,
    /// The origin of the pages under test. A request to another one fails the test.
    origin: String,
}

/// An element of the page, until the page replaces it.
pub struct Element<'b> {
    session: &'b Session,
    id: String,
}

impl Element<'_> {
    pub async fn click(&self) -> Result<(), Refused> {
        self.post("click", json!({})).await
    }

    /// Types into the element. Keys such as Enter have code points of their own (section 17.4.2).
    pub async fn type_in(&self, text: &str) -> Result<(), Refused> {
        self.post("value", json!({ "text": text })).await
    }

    /// Empties a field.
    pub async fn clear(&self) -> Result<(), Refused> {
        self.post("clear", json!({})).await
    }

    /// The text that the page shows of it.
    pub async fn text(&self) -> Result<String, Refused> {
        let text = self.session.get(&format!("/element/{}/text", self.id)).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// A property of the element, such as `value`.
    pub async fn property(&self, name: &str) -> Result<Value, Refused> {
        self.session.get(&format!("/element/{}/property/{name}", self.id)).await
    }

    async fn is_displayed(&self) -> Result<bool, Refused> {
        Ok(self.session.get(&format!("/element/{}/displayed", self.id)).await? == true)
    }

    async fn post(&self, command: &str, parameters: Value) -> Result<(), Refused> {
        self.session.post(&format!("/element/{}/{command}", self.id), parameters).await.map(drop)
    }
}

impl Browser {
    /// Opens a browser for the pages of `origin`.
    pub async fn open(origin: &str) -> Self {
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--window-size=1024,768",
        ];
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let session = Session::start(&env::var(DRIVER).unwrap(), capabilities).await;
        Self { session, origin: origin.to_owned() }
    }

    /// Opens a page by its path and fragment: `/join#<list>`.
    pub async fn visit(&self, path: &str) {
        // Another fragment of the same page would not load it again.
        self.go("about:blank").await;
        self.go(&format!("{}{path}", self.origin)).await;
    }

    async fn go(&self, url: &str) {
        self.session.post("/url", json!({ "url": url })).await.unwrap();
    }

    pub async fn reload(&self) {
        self.session.post("/refresh", json!({})).await.unwrap();
    }

    /// Opens another tab, which is driven from now on; returns the names of the former one and of this one.
    pub async fn new_tab(&self) -> [String; 2] {
        let former = self.session.get("/window").await.unwrap();
        let made = self.session.post("/window/new", json!({ "type": "tab" })).await.unwrap();
        let tabs = [&former, &made["handle"]].map(|tab| tab.as_str().unwrap().to_owned());
        self.switch_to(&tabs[1]).await;
        tabs
    }

    /// Drives another tab and brings it to the front: pages behind it are hidden.
    pub async fn switch_to(&self, tab: &str) {
        self.session.post("/window", json!({ "handle": tab })).await.unwrap();
        self.command("Page.bringToFront", json!({})).await;
    }

    pub async fn back(&self) {
        self.session.post("/back", json!({})).await.unwrap();
    }

    /// The address of the shown page.
    pub async fn url(&self) -> String {
        self.session.get("/url").await.unwrap().as_str().unwrap().to_owned()
    }

    pub async fn title(&self) -> String {
        self.session.get("/title").await.unwrap().as_str().unwrap().to_owned()
    }

    pub async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Cuts the browser off the network, or connects it again.
    pub async fn offline(&self, offline: bool) {
        self.command("Network.enable", json!({})).await;
        let conditions =
            json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.command("Network.emulateNetworkConditions", conditions).await;
    }

    /// Sends a command of the Chrome DevTools Protocol.
    pub async fn command(&self, method: &str, parameters: Value) -> Value {
        self.session.post("/goog/cdp/execute", json!({ "cmd": method, "params": parameters })).await.unwrap()
    }

    /// Runs the body of a function in the page; returns what it returns, also by a promise.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.session.post("/execute/sync", json!({ "script": script, "args": arguments })).await.unwrap()
    }

    /// All elements that a selector of CSS finds.
    pub async fn all(&self, css: &str) -> Vec<Element<'_>> {
        let found = self.session.elements(css).await.unwrap_or_default();
        found.into_iter().map(|id| Element { session: &self.session, id }).collect()
    }

    /// The first such element that is displayed now.
    async fn displayed(&self, css: &str) -> Option<Element<'_>> {
        for element in self.all(css).await {
            if element.is_displayed().await.unwrap_or(false) {
                return Some(element);
            }
        }
        None
    }

    /// Waits until the page shows an element.
    pub async fn shown(&self, css: &str) -> Element<'_> {
        match self.until(async || self.displayed(css).await).await {
            Some(element) => element,
            None => panic!("the page does not show {css}:\n{}", self.body().await),
        }
    }

    /// Waits until no such element is shown.
    pub async fn hidden(&self, css: &str) {
        let gone = self.until(async || self.displayed(css).await.is_none().then_some(())).await;
        if gone.is_none() {
            panic!("the page still shows {css}:\n{}", self.body().await);
        }
    }

    /// Waits until the text of a shown element contains `text`.
    pub async fn says(&self, css: &str, text: &str) {
        let said = self.until(async || {
            for element in self.all(css).await {
                if element.text().await.is_ok_and(|shown| shown.contains(text)) {
                    return Some(());
                }
            }
            None
        });
        if said.await.is_none() {
            panic!("{css} does not say {text:?}:\n{}", self.body().await);
        }
    }

    pub async fn click(&self, css: &str) {
        // A page may replace or cover an element between the look and the click.
        let clicked = self.until(async || self.displayed(css).await?.click().await.ok()).await;
        if clicked.is_none() {
            panic!("{css} cannot be clicked:\n{}", self.body().await);
        }
    }

    /// Replaces what a field holds.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.shown(css).await;
        field.clear().await.unwrap();
        field.type_in(text).await.unwrap();
    }

    /// All text that the page shows.
    pub async fn body(&self) -> String {
        match self.all("body").await.first() {
            Some(body) => body.text().await.unwrap_or_default(),
            None => String::new(),
        }
    }

    /// Waits until `found` returns something; `None` if that takes too long.
    pub async fn until<T>(&self, found: impl AsyncFn() -> Option<T>) -> Option<T> {
        let waiting = async {
            loop {
                if let Some(found) = found().await {
                    return found;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(SHOWN_MAX, waiting).await.ok()
    }

    /// The requests of the browser since the last call: method and URL.
    pub async fn requests(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let sent = self.log("performance").await.into_iter().filter_map(|entry| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &event["message"];
            let request = &message["params"]["request"];
            let is_request = message["method"] == "Network.requestWillBeSent";
            is_request.then(|| Some((text(&request["method"])?, text(&request["url"])?))).flatten()
        });
        sent.collect()
    }

    /// The entries of a log since the last call.
    async fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.session.post("/se/log", json!({ "type": kind })).await.unwrap();
        entries.as_array().cloned().unwrap_or_default()
    }

    /// Checks what holds of every page and state: axe finds nothing, and the page fits the width.
    pub async fn assert_accessible(&self, state: &str) {
        let axe = fs::read_to_string(env::var("WAITLIST_AXE").unwrap()).unwrap();
        self.run(&axe, Vec::new()).await;
        let script = "return axe.run({ runOnly: arguments[0], resultTypes: ['violations'] })\
            .then(({ violations }) => violations.map(({ id, help, nodes }) => \
            ({ id, help, nodes: nodes.map((node) => node.html) })))";
        let found = self.run(script, vec![json!(WCAG)]).await;
        assert_eq!(found, json!([]), "{state}");
        let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(self.run(wider, Vec::new()).await, 0, "{state} scrolls sideways");
    }

    /// Writes a screenshot of the documentation, when asked to.
    pub async fn screenshot(&self, name: &str) {
        if env::var_os(UPDATE).is_none() {
            return;
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/docs/pages");
        fs::create_dir_all(&folder).unwrap();
        let png = self.session.get("/screenshot").await.unwrap();
        let png = BASE64.decode(png.as_str().unwrap().as_bytes()).unwrap();
        fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }

    /// Ends the browser. Fails if a page broke its Content-Security-Policy, threw, or asked another origin.
    pub async fn close(self) {
        // Chromium reports each answer of 400 and above, and each request without an answer, as an error: pages handle these.
        let faults: Vec<Value> = self
            .log("browser")
            .await
            .into_iter()
            .filter(|entry| entry["level"] == "SEVERE" && entry["source"] != "network")
            .collect();
        let known = |url: &str| {
            url.starts_with(&self.origin) || url.starts_with("about:") || url.starts_with("data:")
        };
        let foreign: Vec<(String, String)> =
            self.requests().await.into_iter().filter(|(_, url)| !known(url)).collect();
        self.session.end().await;
        assert!(faults.is_empty(), "{faults:#?}");
        assert!(foreign.is_empty(), "{foreign:#?}");
    }
}
