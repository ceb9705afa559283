//! The edge: what every request goes through, whether API Gateway or the local server brought it.

mod answer;
mod call;
mod conditions;
mod gateway;

use std::net::IpAddr;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderMap;
use schema::{SessionId, StreamId, UserId, route::Role, sync::SyncToken};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{
    answer::Reply,
    call::Call,
    gateway::{authorizer_answer, from_gateway, to_gateway},
};
use crate::{backend::Backend, failure::Failure};

/// The largest body that is read.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// After how many seconds a client does well to try again.
const RETRY_AFTER_S: u32 = 1;

/// A request, free of whatever brought it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// What stands behind the question mark.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; the edge that brought it has cut it off behind [`BODY_BYTES_MAX`] + 1.
    pub body: Bytes,
    /// Identifies this request in logs, problems and commits.
    pub request_id: String,
    /// Where it comes from, when that is known.
    pub address: Option<IpAddr>,
    /// What the authorizer said; nothing when it was not asked.
    pub principal: Option<Principal>,
}

/// What the authorizer says about a request: who asks, or that nobody valid does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Principal {
    /// An account.
    User {
        /// Which.
        id: UserId,
        /// When its token ends, Unix seconds: the authorizer's answer may be a cached one.
        exp: i64,
        /// The session its token came of; none when the command line minted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
        /// Whether it may do what is system-wide.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        operator: bool,
    },
    /// A token that is not accepted.
    Nobody,
    /// Nobody could say: what the answer depends on cannot be read now.
    Unknown,
}

impl Principal {
    /// An account that asks by a token without a session.
    #[must_use]
    pub fn account(id: UserId, exp: i64) -> Self {
        Self::User { id, exp, session: None, operator: false }
    }
}

/// What answers the calls of one role. Its future is boxed: it is deep, and whatever wraps it should not have to know.
pub type Handler = for<'c> fn(&'c Backend, &'c Call<'c>) -> BoxFuture<'c, Result<Reply, Failure>>;

/// Takes a request through the edge to `handler`, and its result back: the one place where failures become HTTP.
pub async fn serve(
    role: Role,
    backend: &Backend,
    request: Request,
    handler: Handler,
) -> http::Response<Bytes> {
    let result = match Call::admit(role, &backend.clock, &request) {
        Ok(call) => handler(backend, &call).await,
        Err(problem) => Err(problem.into()),
    };
    answer::render(&request, result)
}

/// What a write answers; `stream` gives the Sync-Token.
#[must_use]
pub fn written(
    status: u16,
    stream: StreamId,
    seq: u64,
    state: Option<schema::waitee::State>,
    location: Option<String>,
) -> Reply {
    let body: Value = serde_json::json!(schema::body::Written { id: stream.id, seq, state });
    Reply {
        status,
        body: Some(body),
        etag: Some(format!("\"{seq}\"")),
        sync: Some(SyncToken { stream, seq }),
        location,
    }
}
