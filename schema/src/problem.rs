//! How a request is told no: RFC 9457 problem documents with a closed list of types.

use serde::Serialize;

use crate::waitee::State;

/// The base of every problem `type`; the slug follows.
const TYPE_BASE: &str = "https://waitlist.example/problems/";

/// What went wrong. Each slug is a promise to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slug {
    /// The text is no HTTP request.
    MalformedRequest,
    /// The body is not the JSON that was asked for.
    MalformedBody,
    /// A query parameter or header does not parse.
    InvalidParameter,
    /// No valid access token.
    Unauthorized,
    /// E-mail and password do not belong together, or there is no such account: the two look the same.
    InvalidCredentials,
    /// The refresh token is spent, void, or not one of ours.
    InvalidRefreshToken,
    /// Operators only.
    Forbidden,
    /// There is no such thing, or it is not yours.
    NotFound,
    /// There is such a path, without this method.
    MethodNotAllowed,
    /// Others kept changing the same thing.
    Conflict,
    /// The list takes no parties now.
    WaitlistClosed,
    /// The list holds as many parties as it may.
    WaitlistFull,
    /// The list must be closed first.
    WaitlistOpen,
    /// Parties are still on the board.
    WaitlistNotEmpty,
    /// Not from this state.
    InvalidTransition,
    /// The party to move next to is not on this board.
    NotOnBoard,
    /// There is no room left between two places in line.
    RankExhausted,
    /// An account with this e-mail exists.
    EmailTaken,
    /// The e-mail is confirmed already.
    AlreadyConfirmed,
    /// The stream holds as many events as it may.
    HistoryFull,
    /// The guest was forgotten.
    Erased,
    /// `If-Match` names an older state.
    PreconditionFailed,
    /// The body is over its bound.
    BodyTooLarge,
    /// Path and query are over their bound.
    UriTooLong,
    /// The headers are over their bound.
    HeadersTooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// A value is outside what is allowed.
    InvalidValue,
    /// The key was used for another request.
    IdempotencyKeyReused,
    /// The password would be guessed.
    WeakPassword,
    /// That is not the account's password.
    WrongPassword,
    /// The mailed link is spent, too old, or not one of ours.
    InvalidToken,
    /// Too many tries.
    TooManyRequests,
    /// Our fault, and retrying will not help.
    Internal,
    /// Our fault, and retrying will help.
    Unavailable,
}

impl Slug {
    /// Slug, HTTP status and title.
    #[must_use]
    pub fn describe(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::MalformedRequest => ("malformed-request", 400, "The request is not understood"),
            Self::MalformedBody => ("malformed-body", 400, "The body is not what was asked for"),
            Self::InvalidParameter => ("invalid-parameter", 400, "A parameter is not understood"),
            Self::Unauthorized => ("unauthorized", 401, "A valid access token is needed"),
            Self::InvalidCredentials => ("invalid-credentials", 401, "E-mail and password do not fit"),
            Self::InvalidRefreshToken => ("invalid-token", 401, "The token is not valid"),
            Self::Forbidden => ("forbidden", 403, "Only operators may do this"),
            Self::NotFound => ("not-found", 404, "There is no such thing here"),
            Self::MethodNotAllowed => ("method-not-allowed", 405, "This path does not take that method"),
            Self::Conflict => ("conflict", 409, "Others are changing the same thing"),
            Self::WaitlistClosed => ("waitlist-closed", 409, "The list is closed"),
            Self::WaitlistFull => ("waitlist-full", 409, "The list is full"),
            Self::WaitlistOpen => ("waitlist-open", 409, "The list is open"),
            Self::WaitlistNotEmpty => ("waitlist-not-empty", 409, "Parties are still waiting"),
            Self::InvalidTransition => ("invalid-transition", 409, "Not possible in this state"),
            Self::NotOnBoard => ("not-on-board", 409, "That party is not on the board"),
            Self::RankExhausted => ("rank-exhausted", 409, "No room between these two places"),
            Self::EmailTaken => ("email-taken", 409, "There is an account with this e-mail"),
            Self::AlreadyConfirmed => ("already-confirmed", 409, "The e-mail is confirmed already"),
            Self::HistoryFull => ("history-full", 409, "Its history is full"),
            Self::Erased => ("erased", 409, "This guest was forgotten"),
            Self::PreconditionFailed => ("precondition-failed", 412, "It has changed since you read it"),
            Self::BodyTooLarge => ("body-too-large", 413, "The body is too large"),
            Self::UriTooLong => ("uri-too-long", 414, "The path or query is too long"),
            Self::HeadersTooLarge => ("headers-too-large", 431, "The headers are too large"),
            Self::UnsupportedMediaType => ("unsupported-media-type", 415, "The body must be JSON"),
            Self::InvalidValue => ("invalid-value", 422, "A value is not allowed"),
            Self::IdempotencyKeyReused => {
                ("idempotency-key-reused", 422, "This key was used for another request")
            }
            Self::WeakPassword => ("weak-password", 422, "The password is too easy to guess"),
            Self::WrongPassword => ("wrong-password", 422, "The password is not the account's"),
            Self::InvalidToken => ("invalid-token", 422, "The token is not valid"),
            Self::TooManyRequests => ("too-many-requests", 429, "Too many tries"),
            Self::Internal => ("internal", 500, "Something broke"),
            Self::Unavailable => ("unavailable", 503, "Try again shortly"),
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        self.describe().1
    }
}

/// Which part of a request is wrong, and what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where.
    #[serde(flatten)]
    pub at: Place,
    /// What is wrong, or what is allowed.
    pub detail: String,
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A JSON pointer into the body (RFC 6901).
    Pointer(String),
    /// A query parameter.
    Parameter(String),
    /// A header.
    Header(String),
}

/// A problem document, less the request id, which the edge adds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", slug.describe().0)]
pub struct Problem {
    /// What kind.
    pub slug: Slug,
    /// This one, in a sentence.
    pub detail: String,
    /// The parts that are wrong.
    pub errors: Vec<Fault>,
    /// The visit's state and what it allows.
    pub state: Option<(State, Vec<&'static str>)>,
    /// Methods the path takes.
    pub allow: Vec<&'static str>,
    /// Seconds after which to try again.
    pub retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem of this kind.
    #[must_use]
    pub fn new(slug: Slug, detail: impl Into<String>) -> Self {
        Self {
            slug,
            detail: detail.into(),
            errors: Vec::new(),
            state: None,
            allow: Vec::new(),
            retry_after_s: None,
        }
    }

    /// There is no such thing, or it is somebody else's: the two look the same.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Slug::NotFound, "Nothing is found at this path for this account.")
    }

    /// No valid access token came with the request.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(Slug::Unauthorized, "Send a valid access token: Authorization: Bearer <token>.")
    }

    /// The password that was said is not the account's.
    #[must_use]
    pub fn wrong_password() -> Self {
        Self::new(Slug::WrongPassword, "current_password is not the account's password.")
    }

    /// The guest this is about was forgotten.
    #[must_use]
    pub fn erased() -> Self {
        Self::new(Slug::Erased, "This guest was forgotten; nothing more can be done or noted about them.")
    }

    /// The stream holds as many events as it may.
    #[must_use]
    pub fn history_full(events_max: u64) -> Self {
        let detail = format!(
            "It holds {events_max} events, which is all it takes; now it can only be ended or erased."
        );
        Self::new(Slug::HistoryFull, detail)
    }

    /// Too many tries; the next one is heard after some seconds.
    #[must_use]
    pub fn too_many(retry_after_s: u32) -> Self {
        let detail = format!("Too many tries; wait {retry_after_s} seconds.");
        Self { retry_after_s: Some(retry_after_s), ..Self::new(Slug::TooManyRequests, detail) }
    }

    /// Values outside what is allowed.
    #[must_use]
    pub fn invalid_values(errors: Vec<Fault>) -> Self {
        Self { errors, ..Self::new(Slug::InvalidValue, "Some values are not allowed; see errors.") }
    }

    /// One value outside what is allowed.
    #[must_use]
    pub fn invalid_value(pointer: &str, detail: impl Into<String>) -> Self {
        Self::invalid_values(vec![Fault { at: Place::Pointer(pointer.to_owned()), detail: detail.into() }])
    }

    /// A query parameter that is unknown or does not parse.
    #[must_use]
    pub fn invalid_parameter(name: &str, detail: impl Into<String>) -> Self {
        let errors = vec![Fault { at: Place::Parameter(name.to_owned()), detail: detail.into() }];
        Self {
            errors,
            ..Self::new(Slug::InvalidParameter, "A query parameter is not understood; see errors.")
        }
    }

    /// A header that does not parse.
    #[must_use]
    pub fn invalid_header(name: &str, detail: impl Into<String>) -> Self {
        let errors = vec![Fault { at: Place::Header(name.to_owned()), detail: detail.into() }];
        Self { errors, ..Self::new(Slug::InvalidParameter, "A header is not understood; see errors.") }
    }

    /// The document as it is sent.
    #[must_use]
    pub fn to_json(&self, request_id: &str) -> serde_json::Value {
        let (slug, status, title) = self.slug.describe();
        let mut document = serde_json::json!({
            "type": format!("{TYPE_BASE}{slug}"), "title": title, "status": status, "detail": self.detail, "request_id": request_id,
        });
        if !self.errors.is_empty() {
            document["errors"] = serde_json::json!(self.errors);
        }
        if let Some((state, allowed)) = &self.state {
            document["state"] = serde_json::json!(state);
            document["allowed"] = serde_json::json!(allowed);
        }
        document
    }
}
