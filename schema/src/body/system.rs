//! Answers about the system itself.

use schemars::JsonSchema;
use serde::Serialize;

/// The answer of GET /healthz.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Health {
    #[schemars(extend("const" = OK))]
    pub status: &'static str,
    pub version: &'static str,
}

/// The status of a server that answers.
pub const OK: &str = "ok";

/// The public keys that access tokens are signed with, as a JSON Web Key Set (RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Jwks {
    pub keys: Vec<Jwk>,
}

/// An Ed25519 public key (RFC 8037).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Jwk {
    #[schemars(extend("const" = "OKP"))]
    pub kty: &'static str,
    #[schemars(extend("const" = "Ed25519"))]
    pub crv: &'static str,
    pub x: String,
    pub kid: String,
    #[schemars(extend("const" = "EdDSA"))]
    pub alg: &'static str,
    #[serde(rename = "use")]
    #[schemars(extend("const" = "sig"))]
    pub purpose: &'static str,
}

impl Jwk {
    /// A key for signatures, from its bytes in Base64url and its id.
    #[must_use]
    pub fn ed25519(x: &str, kid: &str) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            x: x.to_owned(),
            kid: kid.to_owned(),
            alg: "EdDSA",
            purpose: "sig",
        }
    }
}
