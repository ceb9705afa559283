//! Answers of functions as API Gateway reads them.

use std::collections::HashMap;

use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use waitlist_tests::stage::body;

/// A function's answer as API Gateway reads it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) headers: HashMap<String, String>,
    /// The JSON body, or a file as text; null without a body.
    pub(crate) body: Value,
}

impl Answer {
    /// Returns a header's text, or an empty text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn id(&self) -> &str {
        self.body["id"].as_str().unwrap()
    }

    /// Asserts that the answer is a problem document of this status. Returns its slug.
    pub(crate) fn problem(&self, status: u64) -> &str {
        assert_eq!(
            (self.status, self.header("content-type")),
            (status, "application/problem+json"),
            "{self:?}"
        );
        assert_eq!(
            (&self.body["status"], self.body["request_id"].as_str()),
            (&json!(status), Some(self.header("x-request-id")))
        );
        self.body["type"].as_str().unwrap().rsplit('/').next().unwrap()
    }
}

/// Reads a function's answer as API Gateway does (payload format 2.0). Asserts that it has only documented
/// fields.
pub(crate) fn accepted(answer: &Value) -> Answer {
    let known = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "cookies"];
    let fields: Vec<_> =
        answer.as_object().unwrap().keys().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(fields.is_empty(), "API Gateway does not know {fields:?}");
    let headers = answer["headers"].as_object().unwrap();
    // Format 2.0 ignores this field, so a header in it would be lost.
    assert!(answer["multiValueHeaders"].as_object().is_none_or(Map::is_empty), "{answer}");
    Answer {
        status: answer["statusCode"].as_u64().unwrap(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect(),
        body: match &answer["body"] {
            // A file can be empty.
            Value::Null if headers.get("content-type").is_some_and(|kind| kind != "application/json") => {
                Value::from("")
            }
            Value::Null => Value::Null,
            text => {
                let text = text.as_str().unwrap();
                let decoded = BASE64.decode(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap());
                let is_text = answer["isBase64Encoded"] == false;
                let media_type = headers["content-type"].as_str().unwrap();
                body(media_type, &if is_text { text.to_owned() } else { decoded.unwrap() })
            }
        },
    }
}
