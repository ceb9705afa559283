//! Results as HTTP: replies, problem documents, and the headers that every answer has.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use schema::{Problem, Slug, check::whole_number, commit::Tag, route, sync::SyncToken};
use serde::Serialize;
use serde_json::Value;
use tracing::{debug, error, info, warn};
use uuid::Uuid;

use super::{RETRY_AFTER_S, Request};
use crate::failure::Failure;

/// A good answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Option<Value>,
    /// The entity tag, in quotes.
    pub etag: Option<String>,
    /// What a reader must know to see this write.
    pub sync: Option<SyncToken>,
    /// Where a created thing is.
    pub location: Option<String>,
}

impl Reply {
    /// What a read answers: the body, tagged by the number of its last event and by its content.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn read(seq: u64, body: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_value(body).map_err(|cause| Failure::broken("write the answer", cause))?;
        let hash = HEXLOWER.encode(&Tag::of(&[body.to_string().as_bytes()]).0);
        Ok(Self {
            status: 200,
            etag: Some(format!("\"{seq}.{hash}\"")),
            body: Some(body),
            sync: None,
            location: None,
        })
    }

    /// A body that is neither a read's nor a write's: no tag, nothing to wait for.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn plain(status: u16, body: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_value(body).map_err(|cause| Failure::broken("write the answer", cause))?;
        Ok(Self { body: Some(body), ..Self::empty(status) })
    }

    /// Nothing to say but that it is done.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, body: None, etag: None, sync: None, location: None }
    }
}

/// The number in an ETag, of a write or of a read, without its quotes; nothing when we answer no such tag.
pub(super) fn number_in_tag(tag: &str) -> Option<u64> {
    let (number, hash) = tag.split_once('.').map_or((tag, None), |(number, hash)| (number, Some(hash)));
    let is_ours = hash.is_none_or(|hash| {
        HEXLOWER.decode(hash.as_bytes()).is_ok_and(|bytes| bytes.len() == size_of::<Tag>())
    });
    whole_number(number).filter(|_| is_ours)
}

/// The response to a request, whatever became of it; and the one line that the log says about it.
pub(super) fn render(request: &Request, result: Result<Reply, Failure>) -> Response<Bytes> {
    let Request { method, path, request_id, .. } = request;
    let mut response = match result {
        Ok(reply) if not_modified(request, &reply) => bare(StatusCode::NOT_MODIFIED, reply.etag),
        Ok(reply) => good(reply),
        Err(failure) => bad(request, &explain(request, failure)),
    };
    let status = response.status().as_u16();
    // What a stranger wrote into method and path is not ours to keep: the route and the id say enough.
    let (method, route, id) = match route::find(method, path) {
        Ok((entry, id)) => (entry.method, entry.path, id.and_then(|id| id.parse::<Uuid>().ok())),
        Err(_) => ("-", "-", None),
    };
    info!(%request_id, method, route, ?id, status, "answered");
    if request.method != "GET" {
        // What a write answers may let its holder in: tokens stay with the one who asked.
        put(response.headers_mut(), "cache-control", "no-store");
    }
    put(response.headers_mut(), "x-request-id", &request.request_id);
    response
}

fn good(reply: Reply) -> Response<Bytes> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = bare(status, reply.etag);
    if let Some(body) = reply.body.filter(|_| status != StatusCode::NO_CONTENT) {
        put(response.headers_mut(), "content-type", "application/json");
        *response.body_mut() = body.to_string().into();
    }
    if let Some(sync) = reply.sync {
        put(response.headers_mut(), "sync-token", &sync.to_string());
    }
    if let Some(location) = reply.location {
        put(response.headers_mut(), "location", &location);
    }
    response
}

fn bad(request: &Request, problem: &Problem) -> Response<Bytes> {
    let status = StatusCode::from_u16(problem.slug.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = bare(status, None);
    *response.body_mut() = problem.to_json(&request.request_id).to_string().into();
    let headers = response.headers_mut();
    put(headers, "content-type", "application/problem+json");
    if status == StatusCode::UNAUTHORIZED {
        put(headers, "www-authenticate", "Bearer");
    }
    if !problem.allow.is_empty() {
        put(headers, "allow", &problem.allow.join(", "));
    }
    if let Some(seconds) = problem.retry_after_s {
        put(headers, "retry-after", &seconds.to_string());
    }
    response
}

/// What the client is told. What broke is logged here, once, whole, and none of it is told.
fn explain(request: &Request, failure: Failure) -> Problem {
    let Request { request_id, .. } = request;
    match failure {
        Failure::Refused(problem) => {
            debug!(%request_id, slug = problem.slug.describe().0, "refused");
            problem
        }
        Failure::Conflict => {
            warn!(%request_id, "gave up after losing every race");
            Problem {
                retry_after_s: Some(RETRY_AFTER_S),
                ..Problem::new(Slug::Conflict, "Others are changing the same thing; try again.")
            }
        }
        Failure::Broken { retry: true, .. } => {
            warn!(%request_id, cause = failure.chain(), "unavailable");
            Problem {
                retry_after_s: Some(RETRY_AFTER_S),
                ..Problem::new(
                    Slug::Unavailable,
                    "Try again shortly; with the same Idempotency-Key nothing happens twice.",
                )
            }
        }
        Failure::Broken { retry: false, .. } => {
            error!(%request_id, cause = failure.chain(), "broken");
            Problem::new(Slug::Internal, "Something broke on our side; it was logged under this request id.")
        }
    }
}

/// RFC 9110, section 13.1.2: compared weakly, and only where a read answered.
fn not_modified(request: &Request, reply: &Reply) -> bool {
    let Some(etag) = reply.etag.as_deref().filter(|_| request.method == "GET") else { return false };
    let wanted =
        request.headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    wanted
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn bare(status: StatusCode, etag: Option<String>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    if let Some(etag) = etag {
        put(response.headers_mut(), "etag", &etag);
    }
    // Boards hold personal data and change by the second: only the one who asked keeps them, and asks again.
    put(response.headers_mut(), "cache-control", "private, no-cache");
    response
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
