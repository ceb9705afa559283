//! The edge: what every request goes through, whether API Gateway or the local server brought it.

mod answer;
mod gateway;

use std::net::IpAddr;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderMap;
use schema::{
    Actor, Problem, SessionId, StreamId, UserId,
    commit::Tag,
    problem::Slug,
    route::{self, Access, Entry, Role},
    sync::SyncToken,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

pub use self::{
    answer::Reply,
    gateway::{authorizer_answer, from_gateway, to_gateway},
};
use crate::{backend::Backend, clock::Clock, failure::Failure};

/// The largest body that is read.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// After how many seconds a client does well to try again.
const RETRY_AFTER_S: u32 = 1;

const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;

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

/// A request on its way to its handler: found, authorized, bounded.
#[derive(Debug)]
pub struct Call<'r> {
    /// The row of the table of routes.
    pub entry: &'static Entry,
    /// What stands where the path says `{id}`.
    pub id: Option<Uuid>,
    /// What stands where the path says `{token}`: a credential, to be kept out of logs.
    pub token: Option<&'r str>,
    /// The account that asks; nil on public routes.
    pub owner: UserId,
    /// The session it asks by, if any.
    pub session: Option<SessionId>,
    /// Whether it may do what is system-wide.
    pub operator: bool,
    request: &'r Request,
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

impl<'r> Call<'r> {
    fn admit(role: Role, clock: &Clock, request: &'r Request) -> Result<Self, Problem> {
        let (entry, segment) = route::find(&request.method, &request.path)?;
        if entry.role() != role {
            return Err(Problem::not_found()); // this lambda does not serve it
        }
        let (owner, session, operator) = match entry.access {
            Access::Public => (UserId(Uuid::nil()), None, false),
            Access::Owner => authorized(request.principal.as_ref(), clock)?,
        };
        let (id, token) = if entry.path.contains("{token}") { (None, segment) } else { (segment, None) };
        // What is no id names nothing.
        let id =
            id.map(|id| id.parse::<UserId>().map(|id| id.0).map_err(|_| Problem::not_found())).transpose()?;
        if request.body.len() > BODY_BYTES_MAX {
            return Err(Problem::new(
                Slug::BodyTooLarge,
                format!("The body may have at most {BODY_BYTES_MAX} bytes."),
            ));
        }
        if !request.body.is_empty() && !is_json(&request.headers) {
            return Err(Problem::new(Slug::UnsupportedMediaType, "Send the body as application/json."));
        }
        Ok(Self { entry, id, token, owner, session, operator, request })
    }

    /// The id in the path.
    ///
    /// # Errors
    /// The path has none.
    pub fn path_id(&self) -> Result<Uuid, Problem> {
        self.id.ok_or_else(Problem::not_found)
    }

    /// The request id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request.request_id
    }

    /// Who acts, on routes that are not public.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::User(self.owner)
    }

    /// Where the request comes from, when that is known.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.request.address
    }

    /// The body as it was sent.
    #[must_use]
    pub fn raw_body(&self) -> &[u8] {
        &self.request.body
    }

    /// The JSON body.
    ///
    /// # Errors
    /// It is not what was asked for.
    pub fn body<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        schema::check::json(&self.request.body)
    }

    /// The query parameters, each known by name and given once.
    ///
    /// # Errors
    /// One is unknown or doubled.
    pub fn query<const N: usize>(&self, known: [&'static str; N]) -> Result<[Option<String>; N], Problem> {
        let mut found = [const { None }; N];
        for (name, value) in form_urlencoded::parse(self.request.query.as_bytes()) {
            let Some(place) = known.iter().position(|known| *known == name) else {
                let all = if N == 0 {
                    "this path takes none".into()
                } else {
                    format!("this path takes {}", known.join(", "))
                };
                return Err(Problem::invalid_parameter(&name, all));
            };
            if found[place].replace(value.into_owned()).is_some() {
                return Err(Problem::invalid_parameter(&name, "must be given once"));
            }
        }
        Ok(found)
    }

    /// The hash of the `Idempotency-Key`. On public routes it is a UUID: everybody's keys meet there, and a key that could be
    /// guessed would give one guest another's answer.
    ///
    /// # Errors
    /// It is empty, too long, or has other than visible characters; on a public route, it is no UUID.
    pub fn idempotency_key(&self) -> Result<Option<Tag>, Problem> {
        let Some(value) = self.header("idempotency-key")? else { return Ok(None) };
        if value.is_empty()
            || value.len() > IDEMPOTENCY_KEY_CHARS_MAX
            || !value.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(Problem::invalid_header(
                "Idempotency-Key",
                "must be 1 to 128 visible ASCII characters",
            ));
        }
        if self.entry.access == Access::Public && Uuid::try_parse(value).is_err() {
            return Err(Problem::invalid_header("Idempotency-Key", "must be a UUID on this path"));
        }
        Ok(Some(Tag::of(&[value.as_bytes()])))
    }

    /// The id of the stream that a creation with this key begins: the same for the same account, path and key.
    #[must_use]
    pub fn derived_id(&self, key: Tag) -> Uuid {
        self.derived_id_of(self.owner, key)
    }

    /// As [`Call::derived_id`], for a public route that creates something of the account `tenant`.
    #[must_use]
    pub fn derived_id_of(&self, tenant: UserId, key: Tag) -> Uuid {
        let [method, path, id] = self.what();
        let digest = Tag::of(&[tenant.0.as_bytes(), method, path, id, &key.0]);
        uuid::Builder::from_custom_bytes(digest.0).into_uuid()
    }

    /// What tells this request's content from another's, for a MAC under the subject's key: method, route, id, and what the body
    /// says besides credentials.
    #[must_use]
    pub fn content<'c>(&'c self, said: &'c [u8]) -> [&'c [u8]; 4] {
        let [method, path, id] = self.what();
        [method, path, id, said]
    }

    /// Method, route and id. A token in the path is a credential, and no part of what is asked.
    fn what(&self) -> [&[u8]; 3] {
        let id = self.id.as_ref().map_or(&[] as &[u8], |id| id.as_bytes());
        [self.entry.method.as_bytes(), self.entry.path.as_bytes(), id]
    }

    /// The number in `If-Match`; a read's ETag is taken as well, of which only the number counts.
    ///
    /// # Errors
    /// It is no ETag of ours.
    pub fn if_match(&self) -> Result<Option<u64>, Problem> {
        let Some(value) = self.header("if-match")? else { return Ok(None) };
        let inside = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let number = inside.and_then(answer::number_in_tag);
        number.map(Some).ok_or_else(|| {
            Problem::invalid_header("If-Match", "must be one ETag as it was answered, such as \"7\"")
        })
    }

    /// What the reader knows to have been written.
    ///
    /// # Errors
    /// The header holds what is no token, or too many.
    pub fn sync_tokens(&self) -> Result<Vec<SyncToken>, Problem> {
        let Some(value) = self.header("sync-token")? else { return Ok(Vec::new()) };
        SyncToken::parse_list(value).map_err(|error| Problem::invalid_header("Sync-Token", error.to_string()))
    }

    fn header(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let mut values = self.request.headers.get_all(name).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(Problem::invalid_header(name, "must be given once"));
        }
        let text = first.map(|value| value.to_str().map(str::trim));
        text.transpose().map_err(|_| Problem::invalid_header(name, "must be visible ASCII"))
    }
}

fn authorized(
    principal: Option<&Principal>,
    clock: &Clock,
) -> Result<(UserId, Option<SessionId>, bool), Problem> {
    match principal {
        Some(Principal::User { id, exp, session, operator })
            if clock.now().millis() < exp.saturating_mul(1000) =>
        {
            Ok((*id, *session, *operator))
        }
        Some(Principal::User { .. } | Principal::Nobody) | None => Err(Problem::unauthorized()),
        Some(Principal::Unknown) => {
            let detail = "Who asks cannot be checked now; try again shortly.";
            Err(Problem { retry_after_s: Some(RETRY_AFTER_S), ..Problem::new(Slug::Unavailable, detail) })
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value =
        headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/json" | "application/merge-patch+json")
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
