//! Builds the events into which API Gateway's HTTP API turns requests.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
};

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::{ACCOUNT, REGION, TIME_MS};

const API: &str = "abcdef1234";
/// [`TIME_MS`] in the format of API Gateway.
const TIME: &str = "22/Nov/2026:12:00:00 +0000";

/// A client's request, from which the event of a route's function or of the authorizer is built.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    id: String,
    method: String,
    path: String,
    route: String,
    query: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    body: Option<(String, bool)>,
    path_parameters: Map<String, Value>,
    authorizer: Option<Value>,
}

impl HttpRequest {
    /// Creates a request of the route `$default` without query, headers and body.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        Self {
            id: format!("request-{}", COUNT.fetch_add(1, Ordering::Relaxed)),
            method: method.to_owned(),
            path: path.to_owned(),
            route: "$default".to_owned(),
            query: Vec::new(),
            headers: BTreeMap::from([
                ("host".to_owned(), host()),
                ("user-agent".to_owned(), "tests".to_owned()),
            ]),
            body: None,
            path_parameters: Map::new(),
            authorizer: None,
        }
    }

    /// Sets the matching route by its path in the template, such as `/v1/waitees/{id}`, and the values of its
    /// parameters.
    #[must_use]
    pub fn route(mut self, path: &str, parameters: &[(&str, &str)]) -> Self {
        self.route = format!("{} {path}", self.method);
        self.path_parameters =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        self
    }

    /// Adds a query parameter, not yet encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a header. API Gateway writes names in lower case and joins repeated headers with a comma.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        join(&mut self.headers, name.to_ascii_lowercase(), value);
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").text(&body.to_string())
    }

    /// Sets a body of a content type that API Gateway passes on as text.
    #[must_use]
    pub fn text(mut self, body: &str) -> Self {
        self.body = Some((body.to_owned(), false));
        self
    }

    /// Sets a body of another content type, which API Gateway passes on in base64.
    #[must_use]
    pub fn bytes(mut self, body: &[u8]) -> Self {
        self.body = Some((BASE64.encode(body), true));
        self
    }

    /// Sets the `context` of the authorizer's simple response.
    #[must_use]
    pub fn authorized(mut self, context: Value) -> Self {
        self.authorizer = Some(context);
        self
    }

    /// Builds the event of the route's function, payload format 2.0.
    #[must_use]
    pub fn event(&self) -> Value {
        let mut event = self.common();
        if let Some((body, is_base64)) = &self.body {
            let length = if *is_base64 {
                BASE64.decode(body.as_bytes()).map_or(0, |bytes| bytes.len())
            } else {
                body.len()
            };
            event["headers"]["content-length"] = json!(length.to_string());
            event["body"] = json!(body);
            event["isBase64Encoded"] = json!(is_base64);
        } else {
            event["isBase64Encoded"] = json!(false);
        }
        if let Some(context) = &self.authorizer {
            event["requestContext"]["authorizer"] = json!({ "lambda": context });
        }
        event
    }

    /// Builds the event of a REQUEST authorizer, payload format 2.0, with the header Authorization as
    /// identity source. It does not contain the body.
    #[must_use]
    pub fn authorizer_event(&self) -> Value {
        let mut event = self.common();
        event["type"] = json!("REQUEST");
        event["routeArn"] = json!(format!(
            "arn:aws:execute-api:{REGION}:{ACCOUNT}:{API}/$default/{}{}",
            self.method, self.path
        ));
        event["identitySource"] = json!(self.headers.get("authorization").into_iter().collect::<Vec<_>>());
        event
    }

    /// Builds the fields that both events have. API Gateway omits fields without a value.
    fn common(&self) -> Value {
        let mut event = json!({
            "version": "2.0",
            "routeKey": self.route,
            "rawPath": self.path,
            "rawQueryString": self.raw_query(),
            "headers": self.headers,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": API,
                "domainName": host(),
                "domainPrefix": API,
                "http": {
                    "method": self.method,
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": "tests",
                },
                "requestId": self.id,
                "routeKey": self.route,
                "stage": "$default",
                "time": TIME,
                "timeEpoch": TIME_MS,
            },
        });
        if !self.query.is_empty() {
            let mut joined = BTreeMap::new();
            self.query.iter().for_each(|(name, value)| join(&mut joined, name.clone(), value));
            event["queryStringParameters"] = json!(joined);
        }
        if !self.path_parameters.is_empty() {
            event["pathParameters"] = json!(self.path_parameters);
        }
        event
    }

    fn raw_query(&self) -> String {
        let pairs = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

fn host() -> String {
    format!("{API}.execute-api.{REGION}.amazonaws.com")
}

/// Joins the values of a repeated name with commas, as API Gateway does.
fn join(joined: &mut BTreeMap<String, String>, name: String, value: &str) {
    joined.entry(name).and_modify(|values| values.extend([",", value])).or_insert_with(|| value.to_owned());
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => write!(encoded, "%{byte:02X}").expect("writing to a string succeeds"),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::apigw::{ApiGatewayV2CustomAuthorizerV2Request, ApiGatewayV2httpRequest};
    use serde_json::from_value;

    use super::*;

    #[test]
    fn an_http_event_is_read_by_the_events_crate() {
        let event = HttpRequest::new("PATCH", "/v1/waitees/7")
            .route("/v1/waitees/{id}", &[("id", "7")])
            .query("day", "2026-11-20")
            .query("cursor", "a b/ö")
            .header("Sync-Token", "waitee-7@1")
            .header("sync-token", "waitee-8@2")
            .json(&json!({ "note": "ö" }))
            .authorized(json!({ "user": "u" }))
            .event();
        let read: ApiGatewayV2httpRequest = from_value(event).unwrap();
        assert_eq!(read.route_key.as_deref(), Some("PATCH /v1/waitees/{id}"));
        assert_eq!(read.raw_query_string.as_deref(), Some("day=2026-11-20&cursor=a%20b%2F%C3%B6"));
        assert_eq!(read.query_string_parameters.all("cursor"), Some(vec!["a b/ö"]));
        assert_eq!(read.headers["sync-token"], "waitee-7@1,waitee-8@2");
        assert_eq!(read.headers["content-length"], "13");
        assert_eq!(read.path_parameters["id"], "7");
        assert_eq!(read.request_context.http.method, "PATCH");
        assert_eq!(read.request_context.authorizer.unwrap().fields["user"], "u");
        assert_eq!(read.body.as_deref(), Some(r#"{"note":"ö"}"#));
        assert!(!read.is_base64_encoded);
    }

    #[test]
    fn a_body_of_bytes_arrives_in_base64() {
        let read: ApiGatewayV2httpRequest =
            from_value(HttpRequest::new("POST", "/").bytes(&[0, 255]).event()).unwrap();
        assert_eq!((read.body.as_deref(), read.is_base64_encoded), (Some("AP8="), true));
    }

    #[test]
    fn an_authorizer_event_contains_the_identity_and_no_body() {
        let event = HttpRequest::new("POST", "/v1/waitlists")
            .header("Authorization", "Bearer t")
            .json(&json!({}))
            .authorizer_event();
        assert_eq!(event.get("body"), None);
        let read: ApiGatewayV2CustomAuthorizerV2Request = from_value(event).unwrap();
        assert_eq!(read.identity_source, Some(vec!["Bearer t".to_owned()]));
        assert_eq!(read.request_context.http.method, "POST");
        assert!(read.route_arn.unwrap().ends_with("/$default/POST/v1/waitlists"));
    }
}
