//! Who asks: the bearer token of a request, checked.

use infra::{Backend, Failure, http::Principal, token::TokenError};

/// The principal of an `Authorization` header. Why a token is not accepted is nobody's business.
///
/// # Errors
/// What the answer depends on cannot be read.
pub async fn authorize(backend: &Backend, authorization: Option<&str>) -> Result<Principal, Failure> {
    let bearer = authorization.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = bearer else { return Ok(Principal::Nobody) };
    match backend.tokens.check(token.trim(), backend.clock.now()).await {
        Ok(claims) => Ok(Principal::User { id: claims.sub, exp: claims.exp, session: claims.sid, operator: claims.operator }),
        Err(TokenError::Keys(failure)) => Err(failure),
        Err(TokenError::Forged | TokenError::Expired) => Ok(Principal::Nobody),
    }
}
