//! Answers to refused requests: RFC 9457 problem documents with a closed list of types.

use schemars::JsonSchema;
use serde::Serialize;

use crate::waitee::State;

/// The base of every problem `type`; the slug follows.
const TYPE_BASE: &str = "https://waitlist.example/problems/";

/// The type of a problem. Clients depend on slugs, so they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slug {
    MalformedRequest,
    MalformedBody,
    InvalidParameter,
    Unauthorized,
    /// The address has no account, or the password is wrong: the answer does not tell which.
    InvalidCredentials,
    /// The refresh token is spent, void or not ours.
    InvalidRefreshToken,
    /// The account is not an operator.
    Forbidden,
    /// The subject does not exist, or belongs to another account: the answer does not tell which.
    NotFound,
    MethodNotAllowed,
    /// Other writers won every attempt.
    Conflict,
    WaitlistClosed,
    WaitlistFull,
    WaitlistOpen,
    WaitlistNotEmpty,
    /// The visit's state does not allow the command.
    InvalidTransition,
    NotOnBoard,
    /// No rank is left between two neighbours.
    RankExhausted,
    EmailTaken,
    AlreadyConfirmed,
    HistoryFull,
    Erased,
    /// Another rebuild of the projection is unfinished.
    AlreadyRunning,
    /// The rebuild's stage does not allow the command.
    InvalidStage,
    NoFormerGeneration,
    /// Rows of the candidate may lack the events of parked doorbells.
    DoorbellsParked,
    PreconditionFailed,
    BodyTooLarge,
    UriTooLong,
    HeadersTooLarge,
    UnsupportedMediaType,
    InvalidValue,
    IdempotencyKeyReused,
    WeakPassword,
    WrongPassword,
    /// The token of a mailed link is spent, expired or not ours.
    InvalidToken,
    TooManyRequests,
    /// A failure that retrying does not fix.
    Internal,
    /// A failure that retrying may fix.
    Unavailable,
}

impl Slug {
    /// Slug, HTTP status and title.
    #[must_use]
    pub fn describe(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::MalformedRequest => ("malformed-request", 400, "The request is malformed"),
            Self::MalformedBody => ("malformed-body", 400, "The body is malformed"),
            Self::InvalidParameter => ("invalid-parameter", 400, "A parameter or header is invalid"),
            Self::Unauthorized => ("unauthorized", 401, "A valid access token is needed"),
            Self::InvalidCredentials => ("invalid-credentials", 401, "E-mail address or password is wrong"),
            Self::InvalidRefreshToken => ("invalid-token", 401, "The token is not valid"),
            Self::Forbidden => ("forbidden", 403, "Only for operators"),
            Self::NotFound => ("not-found", 404, "Not found"),
            Self::MethodNotAllowed => ("method-not-allowed", 405, "The path does not take this method"),
            Self::Conflict => ("conflict", 409, "Other requests are changing the same subject"),
            Self::WaitlistClosed => ("waitlist-closed", 409, "The list is closed"),
            Self::WaitlistFull => ("waitlist-full", 409, "The list is full"),
            Self::WaitlistOpen => ("waitlist-open", 409, "The list is open"),
            Self::WaitlistNotEmpty => ("waitlist-not-empty", 409, "Parties are still waiting"),
            Self::InvalidTransition => ("invalid-transition", 409, "Not allowed in this state"),
            Self::NotOnBoard => ("not-on-board", 409, "That party is not on the board"),
            Self::RankExhausted => ("rank-exhausted", 409, "No place is left between these parties"),
            Self::EmailTaken => ("email-taken", 409, "The e-mail address has an account"),
            Self::AlreadyConfirmed => ("already-confirmed", 409, "The e-mail address is confirmed already"),
            Self::HistoryFull => ("history-full", 409, "The history is full"),
            Self::Erased => ("erased", 409, "The guest was erased"),
            Self::AlreadyRunning => ("already-running", 409, "A rebuild is running"),
            Self::InvalidStage => ("invalid-stage", 409, "Not allowed at this stage of the rebuild"),
            Self::NoFormerGeneration => ("no-former-generation", 409, "There is no former generation"),
            Self::DoorbellsParked => ("doorbells-parked", 409, "Doorbells are parked"),
            Self::PreconditionFailed => ("precondition-failed", 412, "The subject has changed"),
            Self::BodyTooLarge => ("body-too-large", 413, "The body is too large"),
            Self::UriTooLong => ("uri-too-long", 414, "The path or query is too long"),
            Self::HeadersTooLarge => ("headers-too-large", 431, "The headers are too large"),
            Self::UnsupportedMediaType => ("unsupported-media-type", 415, "The body must be JSON"),
            Self::InvalidValue => ("invalid-value", 422, "A value is not allowed"),
            Self::IdempotencyKeyReused => {
                ("idempotency-key-reused", 422, "The key was used for another request")
            }
            Self::WeakPassword => ("weak-password", 422, "The password is too easy to guess"),
            Self::WrongPassword => ("wrong-password", 422, "The password is wrong"),
            Self::InvalidToken => ("invalid-token", 422, "The token is not valid"),
            Self::TooManyRequests => ("too-many-requests", 429, "Too many requests"),
            Self::Internal => ("internal", 500, "Internal error"),
            Self::Unavailable => ("unavailable", 503, "Try again shortly"),
        }
    }

    /// The `type` of its problem documents.
    #[must_use]
    pub fn uri(self) -> String {
        format!("{TYPE_BASE}{}", self.describe().0)
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        self.describe().1
    }
}

/// A wrong part of a request, and the values allowed there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fault {
    #[serde(flatten)]
    pub at: Place,
    pub detail: String,
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A JSON pointer into the body (RFC 6901).
    Pointer(String),
    /// A query parameter.
    Parameter(String),
    /// A header.
    Header(String),
}

/// A problem document, without the request id, which the HTTP edge adds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", slug.describe().0)]
pub struct Problem {
    pub slug: Slug,
    pub detail: String,
    pub errors: Vec<Fault>,
    /// The visit's state, and the commands that it allows.
    pub state: Option<(State, Vec<&'static str>)>,
    /// The methods that the path takes.
    pub allow: Vec<&'static str>,
    pub retry_after_s: Option<u32>,
}

impl Problem {
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

    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Slug::NotFound, "Nothing is found at this path for this account.")
    }

    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(Slug::Unauthorized, "Send a valid access token: Authorization: Bearer <token>.")
    }

    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(Slug::Forbidden, "This path is for operators. `waitlist operator grant EMAIL` makes one.")
    }

    #[must_use]
    pub fn key_reused() -> Self {
        let detail = "This Idempotency-Key was used for another request; use a fresh one.";
        Self::new(Slug::IdempotencyKeyReused, detail)
    }

    #[must_use]
    pub fn wrong_password() -> Self {
        Self::new(Slug::WrongPassword, "current_password is not the account's password.")
    }

    #[must_use]
    pub fn erased() -> Self {
        Self::new(Slug::Erased, "This guest was erased. Commands on the visit are no longer accepted.")
    }

    #[must_use]
    pub fn history_full(events_max: u64) -> Self {
        let detail = format!(
            "The history holds {events_max} events, the most that it may. Only commands that end or erase it are \
             accepted."
        );
        Self::new(Slug::HistoryFull, detail)
    }

    #[must_use]
    pub fn too_many(retry_after_s: u32) -> Self {
        let detail = format!("Too many requests; try again in {retry_after_s} seconds.");
        Self { retry_after_s: Some(retry_after_s), ..Self::new(Slug::TooManyRequests, detail) }
    }

    #[must_use]
    pub fn invalid_values(errors: Vec<Fault>) -> Self {
        Self { errors, ..Self::new(Slug::InvalidValue, "Some values are not allowed; see errors.") }
    }

    #[must_use]
    pub fn invalid_value(pointer: &str, detail: impl Into<String>) -> Self {
        Self::invalid_values(vec![Fault { at: Place::Pointer(pointer.to_owned()), detail: detail.into() }])
    }

    /// A query parameter is unknown or does not parse.
    #[must_use]
    pub fn invalid_parameter(name: &str, detail: impl Into<String>) -> Self {
        let errors = vec![Fault { at: Place::Parameter(name.to_owned()), detail: detail.into() }];
        Self { errors, ..Self::new(Slug::InvalidParameter, "A query parameter is invalid; see errors.") }
    }

    #[must_use]
    pub fn invalid_header(name: &str, detail: impl Into<String>) -> Self {
        let errors = vec![Fault { at: Place::Header(name.to_owned()), detail: detail.into() }];
        Self { errors, ..Self::new(Slug::InvalidParameter, "A header is invalid; see errors.") }
    }

    /// The document that is sent.
    #[must_use]
    pub fn to_json(&self, request_id: &str) -> serde_json::Value {
        let (_, status, title) = self.slug.describe();
        let mut document = serde_json::json!({
            "type": self.slug.uri(),
            "title": title,
            "status": status,
            "detail": self.detail,
            "request_id": request_id,
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
