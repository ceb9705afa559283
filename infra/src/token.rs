//! Access tokens: Ed25519 JWTs (RFC 8037), signed and checked with a local key file.

use std::path::Path;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use schema::{Time, UserId};
use serde::{Deserialize, Serialize};

use crate::{failure::Failure, file};

const ISSUER: &str = "waitlist";
/// The name of the key in a key directory, and its `kid`.
const LOCAL_KEY: &str = "token-local";

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed: always this system.
    pub iss: String,
    /// The account.
    pub sub: UserId,
    /// Issued at, Unix seconds.
    pub iat: i64,
    /// Not accepted at or after this, Unix seconds.
    pub exp: i64,
}

/// Why a token is not accepted. Clients are told no more than that it is not.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not signed by us, not with the right algorithm, or not of the right form.
    #[error("the token is not one of ours")]
    Forged(#[from] jsonwebtoken::errors::Error),
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
}

/// The key that signs and checks access tokens.
#[derive(Clone)]
pub struct TokenKey {
    signing: EncodingKey,
    checking: DecodingKey,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

impl TokenKey {
    /// Reads the key file of a directory; makes one when there is none.
    ///
    /// # Errors
    /// The file can be neither read nor made, or holds no key.
    pub fn load_or_create(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(LOCAL_KEY);
        let doing = || format!("read the token key {}", path.display());
        let fresh = || Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map(|document| document.as_ref().to_vec());
        let pkcs8 = file::read_or_create_secret(&path, fresh).map_err(|cause| Failure::broken(doing(), cause))?;
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|cause| Failure::broken(doing(), cause.to_string()))?;
        Ok(Self { signing: EncodingKey::from_ed_der(&pkcs8), checking: DecodingKey::from_ed_der(pair.public_key().as_ref()) })
    }

    /// Signs a token for an account.
    ///
    /// # Errors
    /// The key does not sign.
    pub fn mint(&self, owner: UserId, now: Time, ttl_s: u32) -> Result<String, Failure> {
        let iat = now.millis() / 1000;
        let claims = Claims { iss: ISSUER.into(), sub: owner, iat, exp: iat + i64::from(ttl_s) };
        let header = Header { kid: Some(LOCAL_KEY.into()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &self.signing).map_err(|cause| Failure::broken("sign a token", cause))
    }

    /// Reads a token that this key signed and whose time is not over.
    ///
    /// # Errors
    /// Anything else.
    pub fn check(&self, token: &str, now: Time) -> Result<Claims, TokenError> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.validate_exp = false; // against the machine's clock; ours may be a manual one
        let claims = jsonwebtoken::decode::<Claims>(token, &self.checking, &validation)?.claims;
        if now.millis() >= claims.exp.saturating_mul(1000) { Err(TokenError::Expired) } else { Ok(claims) }
    }
}
