//! Access tokens: Ed25519 JWTs (RFC 8037), signed with a key file or by KMS, and checked against the current
//! and the previous public key.

mod keys;
#[cfg(test)]
mod tests;

use std::{fs, path::Path, sync::Arc};

use aws_sdk_kms::{
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, Validation};
use schema::{
    SessionId, Time, UserId,
    body::system::{Jwk, Jwks},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::OnceCell;

use self::keys::{PREVIOUS_KEY, PublicKey, public_key};
use crate::failure::Failure;

pub(crate) use self::keys::LOCAL_KEY;
pub use self::keys::TokenKey;

const ISSUER: &str = "waitlist";
/// The lifetime of an access token, in seconds.
pub const ACCESS_TTL_S: u32 = 900;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Always `waitlist`.
    pub iss: String,
    /// The account.
    pub sub: UserId,
    /// The session; `None` in a token minted by the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// Allows system-wide operations. Set only in tokens without a session; otherwise the account's stream
    /// decides.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub operator: bool,
    /// Time of issue, in Unix seconds.
    pub iat: i64,
    /// Time from which the token is refused, in Unix seconds.
    pub exp: i64,
}

/// The reason why a token is refused. Clients are not told the reason.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("the token is malformed or not signed by one of this deployment's keys")]
    Forged,
    #[error("the token has expired")]
    Expired,
    #[error(transparent)]
    Keys(#[from] Failure),
}

/// Signs and checks access tokens. Clones share their keys.
#[derive(Clone)]
pub struct Tokens(Arc<Keys>);

enum Keys {
    /// Of a function that neither signs nor checks access tokens.
    Unused,
    Files {
        current: TokenKey,
        public: Vec<PublicKey>,
    },
    Kms {
        client: aws_sdk_kms::Client,
        current: String,
        previous: Option<String>,
        public: OnceCell<Vec<PublicKey>>,
    },
}

impl Tokens {
    pub(crate) fn unused() -> Self {
        Self(Arc::new(Keys::Unused))
    }

    /// Reads the current key from a directory, or creates it, and reads the previous key if there is one.
    ///
    /// # Errors
    /// A file cannot be read or created, or holds no key.
    pub fn of_files(directory: &Path) -> Result<Self, Failure> {
        let current = TokenKey::load_or_create(directory)?;
        let mut public = vec![current.public()];
        let previous = directory.join(PREVIOUS_KEY);
        if fs::exists(&previous).map_err(|cause| Failure::broken("look for a previous token key", cause))? {
            public.push(TokenKey::read(&previous)?.public());
        }
        Ok(Self(Arc::new(Keys::Files { current, public })))
    }

    /// Uses KMS keys of type ECC_NIST_EDWARDS25519, given by id, ARN or alias.
    #[must_use]
    pub fn of_kms(client: aws_sdk_kms::Client, current: String, previous: Option<String>) -> Self {
        Self(Arc::new(Keys::Kms { client, current, previous, public: OnceCell::new() }))
    }

    /// Signs an access token of a session.
    ///
    /// # Errors
    /// KMS does not answer.
    pub async fn issue(&self, owner: UserId, session: SessionId, now: Time) -> Result<String, Failure> {
        let claims = claims(owner, Some(session), false, now, ACCESS_TTL_S);
        let kid = self.public().await?.first().map(|key| key.kid.clone()).unwrap_or_default();
        let text = signing_input(&kid, &claims)?;
        match &*self.0 {
            Keys::Unused => Err(without_keys()),
            Keys::Files { current, .. } => Ok(signed(&text, &current.sign(&text))),
            Keys::Kms { client, current, .. } => {
                let call = client.sign().key_id(current).message_type(MessageType::Raw);
                let call = call
                    .signing_algorithm(SigningAlgorithmSpec::Ed25519Sha512)
                    .message(Blob::new(text.as_bytes()));
                let answer = call.send().await.map_err(|cause| Failure::aws("sign a token", cause))?;
                let signature = answer
                    .signature
                    .ok_or_else(|| Failure::broken("sign a token", "KMS answered without a signature"))?;
                Ok(signed(&text, signature.as_ref()))
            }
        }
    }

    /// Checks a token's signature and expiry, and returns its claims.
    ///
    /// # Errors
    /// The token is refused, or KMS does not answer.
    pub async fn check(&self, token: &str, now: Time) -> Result<Claims, TokenError> {
        let kid = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Forged)?.kid;
        let key = self
            .public()
            .await?
            .iter()
            .find(|key| Some(&key.kid) == kid.as_ref())
            .ok_or(TokenError::Forged)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        validation.validate_exp = false; // it would use the system clock; ours may be manual
        let claims = jsonwebtoken::decode::<Claims>(token, &key.key, &validation)
            .map_err(|_| TokenError::Forged)?
            .claims;
        if claims.sid.is_none() && !key.local {
            return Err(TokenError::Forged); // only a key file signs tokens without a session
        }
        if now.millis() >= claims.exp.saturating_mul(1000) { Err(TokenError::Expired) } else { Ok(claims) }
    }

    /// Returns the public keys as a JWK set (RFC 7517), the current key first.
    ///
    /// # Errors
    /// KMS does not answer.
    pub async fn jwks(&self) -> Result<Jwks, Failure> {
        let keys = self.public().await?.iter().map(|key| Jwk::ed25519(&key.x, &key.kid));
        Ok(Jwks { keys: keys.collect() })
    }

    async fn public(&self) -> Result<&[PublicKey], Failure> {
        match &*self.0 {
            Keys::Unused => Err(without_keys()),
            Keys::Files { public, .. } => Ok(public),
            Keys::Kms { client, current, previous, public } => {
                let read = public.get_or_try_init(async || {
                    let mut keys = Vec::new();
                    for id in [Some(current), previous.as_ref()].into_iter().flatten() {
                        keys.push(public_key(client, id).await?);
                    }
                    Ok::<_, Failure>(keys)
                });
                read.await.map(Vec::as_slice)
            }
        }
    }
}

fn without_keys() -> Failure {
    Failure::broken("use the keys of access tokens", "the process did not load them; see Need::TokenKeys")
}

fn claims(owner: UserId, session: Option<SessionId>, operator: bool, now: Time, ttl_s: u32) -> Claims {
    let iat = now.millis() / 1000;
    Claims { iss: ISSUER.into(), sub: owner, sid: session, operator, iat, exp: iat + i64::from(ttl_s) }
}

/// Builds header and payload of a JWT, each in Base64url (RFC 7515, section 5.1).
fn signing_input(kid: &str, claims: &Claims) -> Result<String, Failure> {
    let header = json!({ "typ": "JWT", "alg": "EdDSA", "kid": kid }).to_string();
    let claims = serde_json::to_vec(claims)
        .map_err(|cause| Failure::broken("serialise the claims of a token", cause))?;
    Ok(format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(&claims)))
}

fn signed(text: &str, signature: &[u8]) -> String {
    format!("{text}.{}", BASE64URL_NOPAD.encode(signature))
}
