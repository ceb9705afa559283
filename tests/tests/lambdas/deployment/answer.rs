//! Answers of functions as API Gateway reads them.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// A function's answer as API Gateway reads it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) headers: HashMap<String, String>,
    /// The JSON body; null without a body.
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
    assert_eq!(answer["isBase64Encoded"], false, "{answer}");
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
            Value::Null => Value::Null,
            body => serde_json::from_str(body.as_str().unwrap()).unwrap(),
        },
    }
}
