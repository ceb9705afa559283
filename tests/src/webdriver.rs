//! A client of WebDriver, the protocol by which browsers are driven, for what the tests of pages need.
//! <https://www.w3.org/TR/webdriver2/>
//!
//! It is written here because the crates for it switch on features of crates that the product uses too (`thirtyfour` keeps the order
//! of keys in all JSON objects), so that tests would run other code than a deployment.

use reqwest::{Client, Method};
use serde_json::{Value, json};

/// The key under which an element's id stands in JSON: section 12.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser that a driver has started. It must be ended.
pub(crate) struct Session {
    client: Client,
    url: String,
}

/// The driver's own code for a refusal, such as `stale element reference`, and its message.
#[derive(Debug)]
pub struct Refused {
    pub code: String,
    pub message: String,
}

impl Session {
    /// Starts a browser.
    pub(crate) async fn start(driver: &str, capabilities: Value) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        let mut session = Self { client, url: format!("{driver}/session") };
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let started = session.send(Method::POST, "", wanted).await.expect("the driver starts a browser");
        session.url = format!("{}/{}", session.url, started["sessionId"].as_str().unwrap());
        session
    }

    /// Sends a command by the end of its path, `/url`.
    pub(crate) async fn post(&self, command: &str, parameters: Value) -> Result<Value, Refused> {
        self.send(Method::POST, command, parameters).await
    }

    pub(crate) async fn get(&self, command: &str) -> Result<Value, Refused> {
        self.send(Method::GET, command, Value::Null).await
    }

    pub(crate) async fn end(self) {
        self.send(Method::DELETE, "", Value::Null).await.expect("the browser ends");
    }

    /// The elements that a selector of CSS finds, in the order of the page.
    pub(crate) async fn elements(&self, css: &str) -> Result<Vec<String>, Refused> {
        let found = self.post("/elements", json!({ "using": "css selector", "value": css })).await?;
        let ids = found.as_array().into_iter().flatten().filter_map(|one| one[ELEMENT].as_str());
        Ok(ids.map(str::to_owned).collect())
    }

    async fn send(&self, method: Method, command: &str, parameters: Value) -> Result<Value, Refused> {
        let mut request = self.client.request(method.clone(), format!("{}{command}", self.url));
        if method == Method::POST {
            request = request.json(&parameters);
        }
        let mut answer: Value = request.send().await.unwrap().json().await.unwrap();
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(code) => Err(Refused {
                code: code.to_owned(),
                message: value["message"].as_str().unwrap_or_default().to_owned(),
            }),
            None => Ok(value),
        }
    }
}
