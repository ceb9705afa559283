//! The parts of an operation that the table of routes does not know.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::examples::Example;
use crate::{body::Written, parameter::Parameter, problem::Slug};

/// An operation of the document, apart from method, path, access and success status.
pub(super) struct Operation {
    /// The `operationId`.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    /// More about it; may be empty.
    pub(super) about: &'static str,
    pub(super) effect: Effect,
    pub(super) query: &'static [Parameter],
    pub(super) request: Option<Body>,
    pub(super) answer: Answer,
    /// A body that is answered with 200 instead, if the request asks for it.
    pub(super) instead: Option<Body>,
    /// The refusals of its own, besides those that its method, path, access and effect imply.
    pub(super) refusals: Vec<Slug>,
}

/// The effect of an operation, on which its headers depend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Shows data, as fresh as Sync-Tokens demand.
    Reads,
    /// Shows something that does not depend on recent writes.
    Shows,
    /// Begins, prolongs or ends a session.
    Signs,
    /// Writes something whose earlier state does not matter.
    Writes,
    /// Does something that no stream remembers.
    Acts,
    /// Changes a subject that exists.
    Changes,
    /// Changes a subject that exists, by a command whose repeat changes nothing; it takes no Idempotency-Key.
    Commands,
    Creates,
}

/// A header of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    ETag,
    SyncToken,
    Location,
    RetryAfter,
    RequestId,
    WwwAuthenticate,
    Link,
    ContentDisposition,
}

impl Header {
    pub(super) const ALL: [Self; 8] = [
        Self::ETag,
        Self::SyncToken,
        Self::Location,
        Self::RetryAfter,
        Self::RequestId,
        Self::WwwAuthenticate,
        Self::Link,
        Self::ContentDisposition,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ETag => "ETag",
            Self::SyncToken => "Sync-Token",
            Self::Location => "Location",
            Self::RetryAfter => "Retry-After",
            Self::RequestId => "X-Request-Id",
            Self::WwwAuthenticate => "WWW-Authenticate",
            Self::Link => "Link",
            Self::ContentDisposition => "Content-Disposition",
        }
    }
}

/// A body in JSON.
pub(super) struct Body {
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
    pub(super) example: Value,
    /// Fields that every answer of this operation has, although the schema does not demand them.
    pub(super) also_required: &'static [&'static str],
}

/// A successful answer.
pub(super) struct Answer {
    pub(super) body: Option<Body>,
    /// The files that it may be instead of JSON: media type and example.
    pub(super) files: &'static [(&'static str, &'static str)],
    pub(super) headers: Vec<Header>,
}

impl Body {
    fn of<T: Example + JsonSchema>() -> Self {
        Self { schema: |generator| generator.subschema_for::<T>(), example: T::example(), also_required: &[] }
    }
}

impl Operation {
    pub(super) fn new(effect: Effect, id: &'static str, summary: &'static str) -> Self {
        let headers = match effect {
            Effect::Reads | Effect::Shows => vec![Header::ETag],
            Effect::Signs | Effect::Writes | Effect::Acts => vec![],
            Effect::Changes | Effect::Commands => vec![Header::ETag, Header::SyncToken],
            Effect::Creates => vec![Header::ETag, Header::SyncToken, Header::Location],
        };
        let answer = Answer { body: None, files: &[], headers };
        Self {
            id,
            summary,
            about: "",
            effect,
            query: &[],
            request: None,
            answer,
            instead: None,
            refusals: Vec::new(),
        }
    }

    pub(super) fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    pub(super) fn query(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    /// Sets the request's body.
    pub(super) fn takes<T: Example + JsonSchema>(self) -> Self {
        Self { request: Some(Body::of::<T>()), ..self }
    }

    /// Sets the answer's body.
    pub(super) fn answers<T: Example + JsonSchema>(mut self) -> Self {
        self.answer.body = Some(Body::of::<T>());
        self
    }

    /// Answers 200 with this body, and without the headers of the other answer, if the request asks for it.
    pub(super) fn or_answers<T: Example + JsonSchema>(self) -> Self {
        Self { instead: Some(Body::of::<T>()), ..self }
    }

    /// Answers a file of one of these media types, each with an example.
    pub(super) fn answers_a_file(mut self, files: &'static [(&'static str, &'static str)]) -> Self {
        self.answer.files = files;
        self.answer.headers.extend([Header::ContentDisposition, Header::Link]);
        self
    }

    /// Answers a write of something other than a visit.
    pub(super) fn written(mut self) -> Self {
        self.answer.body = Some(Body { example: Written::example_of_list(), ..Body::of::<Written>() });
        self
    }

    /// Answers a write of a projection or a rebuild.
    pub(super) fn rebuild_written(mut self) -> Self {
        self.answer.body = Some(Body { example: Written::example_of_rebuild(), ..Body::of::<Written>() });
        self
    }

    /// Answers a write of a visit, whose state the answer holds.
    pub(super) fn visit_written(mut self) -> Self {
        self.answer.body = Some(Body { also_required: &["state"], ..Body::of::<Written>() });
        self
    }

    /// Replaces the headers of the answer.
    pub(super) fn with_headers(mut self, headers: &[Header]) -> Self {
        self.answer.headers = headers.to_vec();
        self
    }

    pub(super) fn has_etag(&self) -> bool {
        self.answer.headers.contains(&Header::ETag)
    }

    pub(super) fn refuses(mut self, slugs: &[Slug]) -> Self {
        self.refusals.extend(slugs);
        self
    }
}
