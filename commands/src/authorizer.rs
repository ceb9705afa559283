//! The authorizer: checks a request's bearer token against the signing keys, its session and its account.

use infra::{
    Backend, Failure,
    http::Principal,
    telemetry::metrics,
    token::{Claims, TokenError},
};
use schema::SessionId;

use crate::session::{Session, latest, standing};

/// The most commits of an account that are read for one answer: 2 read units. When the account has more since
/// the session was last refreshed, the client has to refresh it first.
const SINCE_MAX: usize = 6;

/// The principal of an `Authorization` header. A token that is not accepted gets no reason. At most 3 read
/// units, however long the streams of session and account are.
pub async fn authorize(backend: &Backend, authorization: Option<&str>) -> Result<Principal, Failure> {
    let decided = decide(backend, authorization).await;
    metrics::AUTHORIZER_DECISIONS.count([match &decided {
        Ok(Principal::User { .. }) => "accepted",
        Ok(Principal::Anonymous) => "refused",
        Ok(Principal::Unknown) | Err(_) => "unavailable",
    }]);
    decided
}

async fn decide(backend: &Backend, authorization: Option<&str>) -> Result<Principal, Failure> {
    let bearer = authorization
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = bearer else { return Ok(Principal::Anonymous) };
    let claims = match backend.tokens.check(token.trim(), backend.clock.now()).await {
        Ok(claims) => claims,
        Err(TokenError::Keys(failure)) => return Err(failure),
        Err(TokenError::Forged | TokenError::Expired) => return Ok(Principal::Anonymous),
    };
    match claims.sid {
        None => {
            Ok(Principal::User { id: claims.sub, exp: claims.exp, session: None, operator: claims.operator })
        }
        Some(session) => in_session(backend, &claims, session).await,
    }
}

async fn in_session(backend: &Backend, claims: &Claims, session: SessionId) -> Result<Principal, Failure> {
    let Session::Live(state) = latest(backend, session).await? else { return Ok(Principal::Anonymous) };
    let since = backend.log.page_after(claims.sub.into(), state.user_seq, SINCE_MAX).await?;
    if state.user != claims.sub || since.has_more {
        return Ok(Principal::Anonymous);
    }
    let Some(standing) = standing(&state, &since.commits)? else { return Ok(Principal::Anonymous) };
    Ok(Principal::User {
        id: claims.sub,
        exp: claims.exp,
        session: Some(session),
        operator: standing.operator,
    })
}
