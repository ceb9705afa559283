//! Turns results into HTTP responses: replies, problem documents, and the headers of every response.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use schema::{
    Problem, Slug,
    commit::Tag,
    route::{self, Caching},
    sync::SyncToken,
};
use serde::Serialize;
use serde_json::Value;
use tracing::{debug, error, info, warn};
use uuid::Uuid;

use super::{RETRY_AFTER_S, Request, conditions};
use crate::{failure::Failure, telemetry::metrics};

const BEARER: &[u8] = b"Bearer ";
const SYNC_TOKEN: &str = "sync-token";

/// A successful answer, before rendering.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Option<Body>,
    /// The ETag, quotes included.
    pub etag: Option<String>,
    /// The position of the write, from which the `Sync-Token` header is made.
    pub sync: Option<SyncToken>,
    /// The path of the created resource.
    pub location: Option<String>,
    /// The path and query of the part that follows this one.
    pub next: Option<String>,
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub enum Body {
    /// JSON.
    Value(Value),
    /// JSON that is compiled into the program.
    Text(&'static str),
    File(File),
}

/// A file for the client to save.
#[derive(Clone, Debug)]
pub struct File {
    /// In letters, digits, dots and hyphens.
    pub name: String,
    pub media_type: &'static str,
    pub bytes: Bytes,
}

impl Reply {
    /// The answer to a read. Its ETag consists of the number of the last event and a hash of the body.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn read(seq: u64, body: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_value(body).map_err(|cause| Failure::broken("write the answer", cause))?;
        let etag = Some(etag(seq, body.to_string().as_bytes()));
        Ok(Self { etag, body: Some(Body::Value(body)), ..Self::empty(200) })
    }

    /// The answer to a read of a JSON text that is compiled into the program.
    #[must_use]
    pub fn document(text: &'static str) -> Self {
        Self { etag: Some(etag(0, text.as_bytes())), body: Some(Body::Text(text)), ..Self::empty(200) }
    }

    /// The answer to a read of a file. `next` is the path and query of the part that follows it.
    #[must_use]
    pub fn file(file: File, next: Option<String>) -> Self {
        Self { etag: Some(etag(0, &file.bytes)), body: Some(Body::File(file)), next, ..Self::empty(200) }
    }

    /// An answer with a body, but without ETag and Sync-Token.
    ///
    /// # Errors
    /// The body cannot be written as JSON.
    pub fn plain(status: u16, body: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_value(body).map_err(|cause| Failure::broken("write the answer", cause))?;
        Ok(Self { body: Some(Body::Value(body)), ..Self::empty(status) })
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, body: None, etag: None, sync: None, location: None, next: None }
    }
}

/// The ETag of a read: the number of the last event, and a hash of the body.
fn etag(seq: u64, body: &[u8]) -> String {
    format!("\"{seq}.{}\"", HEXLOWER.encode(&Tag::of(&[body]).0))
}

/// Builds the response to a request, and logs one line about the request.
pub(super) fn render(request: &Request, result: Result<Reply, Failure>) -> Response<Bytes> {
    let Request { method, path, request_id, .. } = request;
    let is_read = matches!(method.as_str(), "GET" | "HEAD");
    let outcome = result.and_then(|reply| match reply.etag.as_deref().filter(|_| is_read) {
        None => Ok((reply, false)),
        Some(etag) => {
            let not_modified = conditions::judge_read(&request.headers, etag)?;
            Ok((reply, not_modified))
        }
    });
    let mut response = match outcome {
        Ok((reply, true)) => bare(StatusCode::NOT_MODIFIED, reply.etag),
        Ok((reply, false)) => good(reply),
        Err(failure) => bad(request, &explain(request, failure)),
    };
    let status = response.status().as_u16();
    // Method and path are untrusted input and may hold tokens: only the matched route and the id are logged.
    let found = route::find(method, path).ok();
    let (method, route, id) = match found {
        Some((entry, found)) => (entry.method, entry.path, found.id.and_then(|id| id.parse::<Uuid>().ok())),
        None => ("-", "-", None),
    };
    metrics::HTTP_ANSWERS.count([class(response.status())]);
    let id = id.map(tracing::field::display);
    info!(%request_id, method, route, id, status, "answered");
    let body_bytes = response.body().len();
    if request.method == "HEAD" && body_bytes > 0 {
        response.body_mut().clear();
        put(response.headers_mut(), "content-length", &body_bytes.to_string());
    }
    let is_current = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let caching = match found {
        _ if !is_read => Caching::Never,
        Some((entry, _)) if is_current => entry.caching(),
        _ => Caching::Revalidated,
    };
    cached(&mut response, caching, request.headers.contains_key(SYNC_TOKEN));
    put(response.headers_mut(), "x-request-id", &request.request_id);
    response
}

/// Tells caches what they may do with an answer. An answer to a `Sync-Token` is for its sender alone.
fn cached(response: &mut Response<Bytes>, caching: Caching, is_for_token: bool) {
    let public;
    let control = match caching {
        Caching::Never => "no-store",
        Caching::Seconds(seconds) if !is_for_token => {
            put(response.headers_mut(), "vary", "Origin, Sync-Token");
            public = format!("public, max-age={seconds}");
            &public
        }
        // Boards hold personal data and change by the second.
        Caching::Revalidated | Caching::Seconds(_) => "private, no-cache",
    };
    put(response.headers_mut(), "cache-control", control);
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

fn good(reply: Reply) -> Response<Bytes> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = bare(status, reply.etag);
    if let Some(body) = reply.body.filter(|_| status != StatusCode::NO_CONTENT) {
        let (media_type, bytes) = match body {
            Body::Value(body) => ("application/json", body.to_string().into()),
            Body::Text(text) => ("application/json", Bytes::from_static(text.as_bytes())),
            Body::File(File { name, media_type, bytes }) => {
                let disposition = format!("attachment; filename=\"{name}\"");
                put(response.headers_mut(), "content-disposition", &disposition);
                // A browser must not take text that guests wrote for a page.
                put(response.headers_mut(), "x-content-type-options", "nosniff");
                (media_type, bytes)
            }
        };
        put(response.headers_mut(), "content-type", media_type);
        *response.body_mut() = bytes;
    }
    if let Some(sync) = reply.sync {
        put(response.headers_mut(), SYNC_TOKEN, &sync.to_string());
    }
    if let Some(location) = reply.location {
        put(response.headers_mut(), "location", &location);
    }
    if let Some(next) = reply.next {
        put(response.headers_mut(), "link", &format!("<{next}>; rel=\"next\""));
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
        put(headers, "www-authenticate", challenge(request, problem));
    }
    if problem.slug == Slug::UnsupportedMediaType {
        put(headers, "accept-encoding", "identity"); // RFC 9110, section 15.5.16
    }
    if !problem.allow.is_empty() {
        put(headers, "allow", &problem.allow.join(", "));
    }
    if let Some(seconds) = problem.retry_after_s {
        put(headers, "retry-after", &seconds.to_string());
    }
    response
}

/// Turns a failure into the client's problem document. Logs the whole cause chain of a broken request, here
/// only; none of it reaches the client.
fn explain(request: &Request, failure: Failure) -> Problem {
    let Request { request_id, .. } = request;
    match failure {
        Failure::Refused(problem) => {
            debug!(%request_id, slug = problem.slug.describe().0, "refused");
            problem
        }
        Failure::Conflict => {
            warn!(%request_id, "answered 409: other writers won every attempt to append");
            Problem {
                retry_after_s: Some(RETRY_AFTER_S),
                ..Problem::new(Slug::Conflict, "Others are changing the same thing; try again.")
            }
        }
        Failure::Broken { retry: true, .. } => {
            warn!(%request_id, cause = failure.chain(), "answered 503: a dependency of the request failed; a retry may help");
            Problem {
                retry_after_s: Some(RETRY_AFTER_S),
                ..Problem::new(
                    Slug::Unavailable,
                    "Try again shortly; with the same Idempotency-Key nothing happens twice.",
                )
            }
        }
        Failure::Broken { retry: false, .. } => {
            error!(%request_id, cause = failure.chain(), "answered 500: the request failed and a retry will not help");
            Problem::new(Slug::Internal, "Something broke on our side; it was logged under this request id.")
        }
    }
}

/// The `WWW-Authenticate` value (RFC 6750, section 3): `invalid_token` only if the request carried a bearer
/// token.
fn challenge(request: &Request, problem: &Problem) -> &'static str {
    let sent = request.headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let is_bearer = sent.get(..BEARER.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(BEARER));
    if problem.slug == Slug::Unauthorized && is_bearer { "Bearer error=\"invalid_token\"" } else { "Bearer" }
}

fn bare(status: StatusCode, etag: Option<String>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    if let Some(etag) = etag {
        put(response.headers_mut(), "etag", &etag);
    }
    response
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
