//! Who asks: the bearer token of a request, checked.

use infra::{Clock, http::Principal, token::TokenKey};

/// The principal of an `Authorization` header. Why a token is not accepted is nobody's business.
#[must_use]
pub fn authorize(tokens: &TokenKey, clock: &Clock, authorization: Option<&str>) -> Principal {
    let bearer = authorization.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match bearer.map(|(_, token)| tokens.check(token.trim(), clock.now())) {
        Some(Ok(claims)) => Principal::User { id: claims.sub, exp: claims.exp },
        Some(Err(_)) | None => Principal::Nobody,
    }
}
