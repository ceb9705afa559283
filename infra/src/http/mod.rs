//! The HTTP edge: the path of every request, from API Gateway or from the local server.

mod answer;
mod call;
mod conditions;
pub mod cors;
mod gateway;

use std::net::IpAddr;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderMap;
use schema::{SessionId, StreamId, UserId, route::Role, sync::SyncToken};
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;

pub use self::{
    answer::{Body, File, Reply},
    call::Call,
    conditions::has_body,
    gateway::{authorizer_answer, from_gateway, to_gateway},
};
use crate::{backend::Backend, failure::Failure, telemetry::correlated};

/// The largest body that is read.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// The value of `Retry-After` for failures that may pass shortly.
const RETRY_AFTER_S: u32 = 1;

/// A request in a form that does not depend on its origin.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The path as it was sent.
    pub path: String,
    /// The query string, without the question mark.
    pub query: String,
    pub headers: HeaderMap,
    /// The body, cut off after [`BODY_BYTES_MAX`] + 1 bytes.
    pub body: Bytes,
    /// Identifies this request in logs, problems and commits.
    pub request_id: String,
    /// The client's network address, if known.
    pub address: Option<IpAddr>,
    /// The authorizer's answer; `None` if it was not asked.
    pub principal: Option<Principal>,
}

/// The authorizer's answer: the account that makes a request, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Principal {
    User {
        id: UserId,
        /// The token's expiry, in Unix seconds. Handlers check it, because API Gateway caches the authorizer's
        /// answer.
        exp: i64,
        /// The session of the token; `None` if the command line minted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
        /// Whether the account may perform system-wide operations.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        operator: bool,
    },
    /// The token is missing or not accepted.
    #[serde(rename = "nobody")]
    Anonymous,
    /// The token could not be checked, because the log or the keys could not be read.
    Unknown,
}

impl Principal {
    /// An account with a token that has no session.
    #[must_use]
    pub fn account(id: UserId, exp: i64) -> Self {
        Self::User { id, exp, session: None, operator: false }
    }
}

/// Answers the calls of one role. The future is boxed because its type is deeply nested.
pub type Handler = for<'c> fn(&'c Backend, &'c Call<'c>) -> BoxFuture<'c, Result<Reply, Failure>>;

/// Admits a request, calls `handler`, and renders its result. Failures become HTTP only here.
pub async fn serve(
    role: Role,
    backend: &Backend,
    request: Request,
    handler: Handler,
) -> http::Response<Bytes> {
    let answered = async {
        let result = match Call::admit(role, &backend.clock, &request) {
            Ok(call) => handler(backend, &call).await,
            Err(problem) => Err(problem.into()),
        };
        answer::render(&request, result)
    };
    answered.instrument(correlated(&request.request_id)).await
}

/// Builds the reply to a write. `stream` and `seq` give the Sync-Token.
#[must_use]
pub fn written(
    status: u16,
    stream: StreamId,
    seq: u64,
    state: Option<schema::waitee::State>,
    location: Option<String>,
) -> Reply {
    let body = serde_json::json!(schema::body::Written { id: stream.id, seq, state });
    Reply {
        status,
        body: Some(Body::Value(body)),
        etag: Some(format!("\"{seq}\"")),
        sync: Some(SyncToken { stream, seq }),
        location,
        next: None,
    }
}
