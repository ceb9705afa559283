//! A request as its handler sees it: matched to a route, authorized, and within the bound on its size.

use std::net::IpAddr;

use http::{HeaderMap, header};
use schema::{
    Actor, Problem, SessionId, UserId, check,
    commit::Tag,
    problem::Slug,
    route::{self, Access, Entry, Parameters, Role},
    sync::SyncToken,
};
use uuid::Uuid;

use super::{BODY_BYTES_MAX, Principal, RETRY_AFTER_S, Request, conditions::Conditions};
use crate::{clock::Clock, log::Expect};

/// A request as its handler sees it.
#[derive(Debug)]
pub struct Call<'r> {
    /// The request's route in the table of routes.
    pub entry: &'static Entry,
    /// The path segment `{id}`.
    pub id: Option<Uuid>,
    /// The path segment `{name}`.
    pub name: Option<&'r str>,
    /// The path segment `{token}`: a credential that must not be logged.
    pub token: Option<&'r str>,
    /// The account that makes the request; nil on public routes.
    pub owner: UserId,
    /// The session of the access token; `None` if the command line minted it.
    pub session: Option<SessionId>,
    /// Whether the account may perform system-wide operations.
    pub operator: bool,
    request: &'r Request,
}

impl<'r> Call<'r> {
    pub(super) fn admit(role: Role, clock: &Clock, request: &'r Request) -> Result<Self, Problem> {
        let (entry, Parameters { id, name, token }) = route::find(&request.method, &request.path)?;
        if entry.role() != role {
            return Err(Problem::not_found()); // another lambda serves this route
        }
        let (owner, session, operator) = match entry.access {
            Access::Public => (UserId(Uuid::nil()), None, false),
            Access::Owner => authorized(request.principal.as_ref(), clock)?,
            // Before the path is looked at, so that only operators learn what there is.
            Access::Operator => match authorized(request.principal.as_ref(), clock)? {
                (_, _, false) => return Err(Problem::forbidden()),
                operator @ (_, _, true) => operator,
            },
        };
        let id =
            id.map(|id| id.parse::<UserId>().map(|id| id.0).map_err(|_| Problem::not_found())).transpose()?;
        if request.body.len() > BODY_BYTES_MAX {
            return Err(Problem::new(
                Slug::BodyTooLarge,
                format!("The body may have at most {BODY_BYTES_MAX} bytes."),
            ));
        }
        if !request.body.is_empty() {
            check_media_type(&request.headers)?;
        }
        Ok(Self { entry, id, name, token, owner, session, operator, request })
    }

    /// # Errors
    /// The path has no id.
    pub fn path_id(&self) -> Result<Uuid, Problem> {
        self.id.ok_or_else(Problem::not_found)
    }

    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request.request_id
    }

    /// The account as the actor of events. Only for routes that are not public.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::User(self.owner)
    }

    /// The client's network address, if the edge knows it.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.request.address
    }

    /// The body in canonical form, for comparison with the body of another request.
    #[must_use]
    pub fn said(&self) -> Vec<u8> {
        check::canonical(&self.request.body)
    }

    /// # Errors
    /// The body is not JSON, or not of this type.
    pub fn body<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        check::json(&self.request.body)
    }

    /// Returns the values of the query parameters that this route knows.
    ///
    /// # Errors
    /// A parameter is unknown or given twice.
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

    /// Returns the hash of the `Idempotency-Key`. On public routes the key must be a UUID, in lower case or
    /// capitals: all guests share one scope there, and a key that can be guessed would reveal another guest's
    /// answer.
    ///
    /// # Errors
    /// The key is empty, longer than [`check::IDEMPOTENCY_KEY_CHARS_MAX`], or has other than visible ASCII characters; on a public
    /// route, it is not a UUID.
    pub fn idempotency_key(&self) -> Result<Option<Tag>, Problem> {
        let Some(value) = self.header("idempotency-key")? else { return Ok(None) };
        if value.is_empty()
            || value.len() > check::IDEMPOTENCY_KEY_CHARS_MAX
            || !value.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(Problem::invalid_header(
                "Idempotency-Key",
                format!("must be 1 to {} visible ASCII characters", check::IDEMPOTENCY_KEY_CHARS_MAX),
            ));
        }
        if self.entry.access != Access::Public {
            return Ok(Some(Tag::of(&[value.as_bytes()])));
        }
        let id = Uuid::try_parse(value)
            .map_err(|_| Problem::invalid_header("Idempotency-Key", "must be a UUID on this path"))?;
        Ok(Some(Tag::of(&[id.to_string().as_bytes()])))
    }

    /// Returns the id of a stream that this request creates, derived from account, route, path id and idempotency key.
    #[must_use]
    pub fn derived_id(&self, tenant: UserId, key: Tag) -> Uuid {
        let [method, path, id] = self.target();
        let digest = Tag::of(&[tenant.0.as_bytes(), method, path, id, &key.0]);
        uuid::Builder::from_custom_bytes(digest.0).into_uuid()
    }

    /// The parts of a request that its MAC covers: method, route, id, and the canonical body.
    #[must_use]
    pub fn content<'c>(&'c self, body: &'c [u8]) -> [&'c [u8]; 4] {
        let [method, path, id] = self.target();
        [method, path, id, body]
    }

    /// Method, route and id. A token in the path is a credential and does not belong to the content.
    fn target(&self) -> [&[u8]; 3] {
        let id = self.id.as_ref().map_or(&[] as &[u8], |id| id.as_bytes());
        [self.entry.method.as_bytes(), self.entry.path.as_bytes(), id]
    }

    /// The conditions that `If-Match` and `If-None-Match` set on the stream that the request changes.
    ///
    /// # Errors
    /// A header is neither `*` nor a list of ETags.
    pub fn expect(&self) -> Result<Expect, Problem> {
        Ok(Conditions::of_write(&self.request.headers)?.of_stream())
    }

    /// Like [`Call::expect`], for a request that creates something in a collection. `If-None-Match` refers to
    /// the stream that this request creates, or that an earlier one with the same key created.
    ///
    /// # Errors
    /// A header is neither `*` nor a list of ETags, or `If-Match` lists ETags: a collection has none.
    pub fn expect_new(&self) -> Result<Expect, Problem> {
        Conditions::of_write(&self.request.headers)?.of_new()
    }

    /// The writes that the reader demands to see.
    ///
    /// # Errors
    /// The header holds something other than Sync-Tokens, or too many of them.
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
        Some(Principal::User { .. } | Principal::Anonymous) | None => Err(Problem::unauthorized()),
        Some(Principal::Unknown) => {
            let detail = "Your access token cannot be checked now; try again shortly.";
            Err(Problem { retry_after_s: Some(RETRY_AFTER_S), ..Problem::new(Slug::Unavailable, detail) })
        }
    }
}

/// Accepts JSON without compression.
fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let is_plain = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    let codings = headers.get_all(header::CONTENT_ENCODING);
    let is_coded = codings
        .iter()
        .any(|value| !value.to_str().is_ok_and(|codings| codings.split(',').map(str::trim).all(is_plain)));
    if is_coded {
        let detail = "Send the body as it is, without a Content-Encoding.";
        return Err(Problem::new(Slug::UnsupportedMediaType, detail));
    }
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if matches!(essence.as_str(), "application/json" | "application/merge-patch+json") {
        return Ok(());
    }
    Err(Problem::new(Slug::UnsupportedMediaType, "Send the body as application/json."))
}
