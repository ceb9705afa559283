//! Converts between API Gateway's HTTP API (payload format 2.0) and requests and responses.

use aws_lambda_events::{
    apigw::{ApiGatewayV2CustomAuthorizerSimpleResponse, ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    encodings::Body,
};
use bytes::Bytes;
use data_encoding::BASE64;
use http::header;
use serde_json::Value;

use super::{BODY_BYTES_MAX, Principal, Request};

/// A longer body goes to API Gateway in Base64. As text in JSON a body can double in size, and Lambda's answers have
/// at most 6 MB.
const TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The key of the principal in the authorizer's context.
const PRINCIPAL: &str = "principal";

/// Reads an event of API Gateway. A body that is not valid Base64 becomes one that is not JSON, which is
/// refused later.
#[must_use]
pub fn from_gateway(event: ApiGatewayV2httpRequest) -> Request {
    let context = event.request_context;
    let raw = event.body.unwrap_or_default();
    let mut body = if event.is_base64_encoded {
        BASE64.decode(raw.as_bytes()).unwrap_or_else(|_| vec![0])
    } else {
        raw.into_bytes()
    };
    body.truncate(BODY_BYTES_MAX + 1);
    // `fields` is the event's `lambda`: the context of a lambda authorizer.
    let principal = context.authorizer.and_then(|mut authorizer| authorizer.fields.remove(PRINCIPAL));
    Request {
        method: context.http.method.to_string(),
        path: event.raw_path.unwrap_or_default(),
        query: event.raw_query_string.unwrap_or_default(),
        headers: event.headers,
        body: Bytes::from(body),
        request_id: context.request_id.unwrap_or_default(),
        address: context.http.source_ip.and_then(|address| address.parse().ok()),
        // A context of another form authorizes nothing.
        principal: principal
            .as_ref()
            .and_then(Value::as_str)
            .and_then(|text| serde_json::from_str(text).ok()),
    }
}

/// Builds API Gateway's response.
#[must_use]
pub fn to_gateway(response: http::Response<Bytes>) -> ApiGatewayV2httpResponse {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH); // the gateway sets its own
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = i64::from(parts.status.as_u16());
    answer.headers = parts.headers;
    answer.is_base64_encoded = body.len() > TEXT_BYTES_MAX;
    answer.body = (!body.is_empty()).then(|| {
        if answer.is_base64_encoded {
            Body::Binary(body.into())
        } else {
            Body::Text(String::from_utf8_lossy(&body).into_owned())
        }
    });
    answer
}

/// Builds the authorizer's answer. It always lets the request pass and names the principal: handlers refuse
/// with a problem document, so that clients meet one form of error.
#[must_use]
pub fn authorizer_answer(principal: &Principal) -> ApiGatewayV2CustomAuthorizerSimpleResponse {
    let mut answer = ApiGatewayV2CustomAuthorizerSimpleResponse::default();
    answer.is_authorized = true;
    answer.context = serde_json::json!({ PRINCIPAL: serde_json::json!(principal).to_string() });
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest answer of a function: 6 MB.
    const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024;

    #[test]
    fn a_body_of_four_megabytes_fits_an_answer_whatever_it_holds() {
        for bytes in [1, TEXT_BYTES_MAX, TEXT_BYTES_MAX + 1, 4_000_000] {
            let sent = "\"".repeat(bytes);
            let answer = to_gateway(http::Response::new(Bytes::from(sent.clone())));
            let answer = serde_json::to_string(&answer).unwrap();
            assert!(answer.len() < ANSWER_BYTES_MAX - 10_000, "{bytes} bytes become {}", answer.len());
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let text = answer["body"].as_str().unwrap();
            let received = if answer["isBase64Encoded"] == true {
                String::from_utf8(BASE64.decode(text.as_bytes()).unwrap()).unwrap()
            } else {
                text.to_owned()
            };
            assert!(received == sent, "{bytes} bytes arrive changed");
        }
    }
}
