//! The rules for pages of other origins (CORS), at API Gateway and at the local server.

use std::time::Duration;

use http::{HeaderName, Method, header};

pub const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Headers that pages may send.
pub const REQUEST_HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("sync-token"),
];

/// Headers of answers that pages may read.
pub const ANSWER_HEADERS: [HeaderName; 10] = [
    header::ALLOW,
    header::CONTENT_DISPOSITION,
    header::DATE,
    header::ETAG,
    header::LINK,
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("sync-token"),
    HeaderName::from_static("x-request-id"),
];

/// For how long a browser may cache the answer to a preflight request: Chromium's own maximum.
pub const PREFLIGHT_AGE_MAX: Duration = Duration::from_secs(2 * 3_600);
