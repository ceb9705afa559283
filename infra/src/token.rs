//! Access tokens: Ed25519 JWTs (RFC 8037), signed with a key file or by KMS, and checked against the current
//! and the previous public key.

use std::{fs, path::Path, sync::Arc};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use aws_sdk_kms::{
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use schema::{SessionId, Time, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use crate::{failure::Failure, file};

const ISSUER: &str = "waitlist";
/// The name of the current key in a key directory.
pub(crate) const LOCAL_KEY: &str = "token-local";
/// The name of the previous key, which exists only after a replacement.
const PREVIOUS_KEY: &str = "token-local-previous";
/// The DER prefix of an Ed25519 public key (RFC 8410).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

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

/// An Ed25519 key pair in a file.
#[derive(Clone)]
pub struct TokenKey(Arc<Ed25519KeyPair>);

impl TokenKey {
    /// Reads the key file of a directory, or creates it.
    ///
    /// # Errors
    /// The file cannot be read or created, or holds no key.
    pub fn load_or_create(dir: &Path) -> Result<Self, Failure> {
        Self::read(&dir.join(LOCAL_KEY))
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let doing = || format!("read the token key {}", path.display());
        let fresh = || {
            Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map(|document| document.as_ref().to_vec())
        };
        let pkcs8 =
            file::read_or_create_secret(path, fresh).map_err(|cause| Failure::broken(doing(), cause))?;
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8)
            .map_err(|cause| Failure::broken(doing(), cause.to_string()))?;
        Ok(Self(Arc::new(pair)))
    }

    /// Signs a token without a session.
    ///
    /// # Errors
    /// The claims cannot be serialised.
    pub fn mint(&self, owner: UserId, now: Time, ttl_s: u32) -> Result<String, Failure> {
        self.mint_for(owner, false, now, ttl_s)
    }

    /// Like [`TokenKey::mint`]; the token may allow system-wide operations.
    ///
    /// # Errors
    /// The claims cannot be serialised.
    pub fn mint_for(&self, owner: UserId, operator: bool, now: Time, ttl_s: u32) -> Result<String, Failure> {
        let text = signing_input(&self.public().kid, &claims(owner, None, operator, now, ttl_s))?;
        Ok(signed(&text, self.0.sign(text.as_bytes()).as_ref()))
    }

    fn public(&self) -> PublicKey {
        PublicKey::new(self.0.public_key().as_ref(), true)
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

/// Signs and checks access tokens. Clones share their keys.
#[derive(Clone)]
pub struct Tokens(Arc<Keys>);

enum Keys {
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

struct PublicKey {
    kid: String,
    x: String,
    key: DecodingKey,
    /// Whether tokens without a session are accepted.
    local: bool,
}

impl PublicKey {
    fn new(key: &[u8], local: bool) -> Self {
        let x = BASE64URL_NOPAD.encode(key);
        // The thumbprint of RFC 7638, with the members in alphabetical order.
        let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        Self { kid: BASE64URL_NOPAD.encode(&thumbprint), x, key: DecodingKey::from_ed_der(key), local }
    }
}

impl Tokens {
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
            Keys::Files { current, .. } => Ok(signed(&text, current.0.sign(text.as_bytes()).as_ref())),
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
    pub async fn jwks(&self) -> Result<Value, Failure> {
        let jwk = |key: &PublicKey| json!({ "kty": "OKP", "crv": "Ed25519", "x": key.x, "kid": key.kid, "alg": "EdDSA", "use": "sig" });
        Ok(json!({ "keys": self.public().await?.iter().map(jwk).collect::<Vec<_>>() }))
    }

    async fn public(&self) -> Result<&[PublicKey], Failure> {
        match &*self.0 {
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

async fn public_key(client: &aws_sdk_kms::Client, id: &str) -> Result<PublicKey, Failure> {
    let doing = || "read the public key of a token key".to_owned();
    let answer =
        client.get_public_key().key_id(id).send().await.map_err(|cause| Failure::aws(doing(), cause))?;
    let der = answer.public_key.map(Blob::into_inner).unwrap_or_default();
    let key = der.strip_prefix(&ED25519_SPKI).filter(|key| key.len() == 32);
    let key = key.ok_or_else(|| {
        Failure::broken(doing(), format!("{id} is not a key of type ECC_NIST_EDWARDS25519"))
    })?;
    Ok(PublicKey::new(key, false))
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

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ANA: UserId = UserId(Uuid::from_u128(1));
    const SESSION: SessionId = SessionId(Uuid::from_u128(2));
    /// The public key of RFC 8037, appendix A.2.
    const RFC_8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn now() -> Time {
        "2026-11-21T03:00:00Z".parse().unwrap()
    }

    fn kids(jwks: &Value) -> Vec<String> {
        jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// Makes the current key the previous one, in place of the former previous key.
    fn rotate(directory: &Path) -> Tokens {
        fs::rename(directory.join(LOCAL_KEY), directory.join(PREVIOUS_KEY)).unwrap();
        Tokens::of_files(directory).unwrap()
    }

    #[test]
    fn the_key_id_is_the_thumbprint_of_rfc_7638() {
        let key = PublicKey::new(&BASE64URL_NOPAD.decode(RFC_8037_X.as_bytes()).unwrap(), true);
        assert_eq!(
            (key.x.as_str(), key.kid.as_str()),
            (RFC_8037_X, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        ); // appendix A.3
    }

    #[tokio::test]
    async fn a_token_is_accepted_until_it_expires() {
        let directory = tempfile::tempdir().unwrap();
        let tokens = Tokens::of_files(directory.path()).unwrap();
        let token = tokens.issue(ANA, SESSION, now()).await.unwrap();
        let last = now().plus_millis(i64::from(ACCESS_TTL_S) * 1_000 - 1);
        let claims = tokens.check(&token, last).await.unwrap();
        assert_eq!((claims.sub, claims.sid, claims.operator), (ANA, Some(SESSION), false));
        assert!(matches!(tokens.check(&token, last.plus_millis(1)).await, Err(TokenError::Expired)));
        let other = tempfile::tempdir().unwrap();
        assert!(matches!(
            Tokens::of_files(other.path()).unwrap().check(&token, last).await,
            Err(TokenError::Forged)
        ));
    }

    #[tokio::test]
    async fn a_replaced_key_stays_valid_until_the_next_replacement() {
        let directory = tempfile::tempdir().unwrap();
        let first = Tokens::of_files(directory.path()).unwrap();
        let token = first.issue(ANA, SESSION, now()).await.unwrap();
        let second = rotate(directory.path());
        assert!(second.check(&token, now()).await.is_ok());
        let newer = second.issue(ANA, SESSION, now()).await.unwrap();
        assert!(matches!(first.check(&newer, now()).await, Err(TokenError::Forged)), "signed by the new key");
        let (before, after) = (kids(&first.jwks().await.unwrap()), kids(&second.jwks().await.unwrap()));
        assert_eq!((before.len(), after.len(), &after[1]), (1, 2, &before[0]));
        assert_eq!(jsonwebtoken::decode_header(&newer).unwrap().kid.as_ref(), Some(&after[0]));

        let third = rotate(directory.path());
        assert!(
            matches!(third.check(&token, now()).await, Err(TokenError::Forged)),
            "its key was replaced twice"
        );
        assert!(third.check(&newer, now()).await.is_ok());
    }

    #[tokio::test]
    async fn the_key_file_mints_tokens_without_a_session() {
        let directory = tempfile::tempdir().unwrap();
        let key = TokenKey::load_or_create(directory.path()).unwrap();
        let tokens = Tokens::of_files(directory.path()).unwrap();
        for operator in [false, true] {
            let claims = tokens.check(&key.mint_for(ANA, operator, now(), 60).unwrap(), now()).await.unwrap();
            assert_eq!((claims.sid, claims.operator), (None, operator));
        }
    }
}
