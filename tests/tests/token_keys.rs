//! Access tokens that KMS signs, on an engine that has KMS.

use aws_sdk_kms::{
    Client,
    primitives::Blob,
    types::{KeySpec, KeyUsageType, MessageType, SigningAlgorithmSpec},
};
use data_encoding::BASE64URL_NOPAD;
use infra::{
    aws,
    token::{Claims, TokenError, Tokens},
};
use schema::{SessionId, Time, UserId};
use serde_json::json;
use uuid::Uuid;
use waitlist_tests::endpoints::endpoint;

const ANA: UserId = UserId(Uuid::from_u128(1));
const SESSION: SessionId = SessionId(Uuid::from_u128(2));

async fn key(kms: &Client) -> String {
    let made = kms
        .create_key()
        .key_spec(KeySpec::EccNistEdwards25519)
        .key_usage(KeyUsageType::SignVerify)
        .send()
        .await
        .unwrap();
    made.key_metadata.unwrap().key_id
}

#[tokio::test]
async fn an_access_token_is_signed_by_a_key_of_kms_and_by_the_one_before() {
    let name = "an_access_token_is_signed_by_a_key_of_kms_and_by_the_one_before";
    if endpoint(name, "AWS_ENDPOINT_URL_KMS").is_none() {
        return;
    }
    let kms = Client::new(&aws::config().await);
    let (first, second) = (key(&kms).await, key(&kms).await);
    let now: Time = "2026-11-21T03:00:00Z".parse().unwrap();
    let before = Tokens::of_kms(kms.clone(), first.clone(), None);
    let token = before.issue(ANA, SESSION, now).await.unwrap();
    let claims = before.check(&token, now).await.unwrap();
    assert_eq!((claims.sub, claims.sid, claims.operator), (ANA, Some(SESSION), false));
    assert!(matches!(before.check(&token, now.plus_minutes(15)).await, Err(TokenError::Expired)));

    let during = Tokens::of_kms(kms.clone(), second.clone(), Some(first.clone()));
    assert_eq!(during.check(&token, now).await.unwrap(), claims, "the previous key is still accepted");
    let newer = during.issue(ANA, SESSION, now).await.unwrap();
    assert_ne!(kid(&newer), kid(&token));
    assert_eq!(during.check(&newer, now).await.unwrap(), claims);
    assert!(matches!(before.check(&newer, now).await, Err(TokenError::Forged)));
    let jwks = during.jwks().await.unwrap();
    let kids: Vec<serde_json::Value> = jwks.keys.into_iter().map(|key| key.kid.into()).collect();
    assert_eq!(kids, [kid(&newer), kid(&token)], "the current key comes first");

    let after = Tokens::of_kms(kms.clone(), second, None);
    assert!(
        matches!(after.check(&token, now).await, Err(TokenError::Forged)),
        "a key replaced twice is refused"
    );

    // A holder of the KMS key could sign a token without a session, so such tokens are accepted only from a
    // key file.
    let sessionless =
        sign(&kms, &first, kid(&token).as_str().unwrap(), &Claims { sid: None, operator: true, ..claims })
            .await;
    assert!(matches!(before.check(&sessionless, now).await, Err(TokenError::Forged)));
}

/// Signs a token with these claims directly at KMS.
async fn sign(kms: &Client, key: &str, kid: &str, claims: &Claims) -> String {
    let parts = [json!({ "typ": "JWT", "alg": "EdDSA", "kid": kid }), json!(claims)];
    let text = parts.map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes())).join(".");
    let call = kms
        .sign()
        .key_id(key)
        .message_type(MessageType::Raw)
        .signing_algorithm(SigningAlgorithmSpec::Ed25519Sha512);
    let signature = call.message(Blob::new(text.as_bytes())).send().await.unwrap().signature.unwrap();
    format!("{text}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

fn kid(token: &str) -> serde_json::Value {
    let header = BASE64URL_NOPAD.decode(token.split('.').next().unwrap().as_bytes()).unwrap();
    serde_json::from_slice::<serde_json::Value>(&header).unwrap()["kid"].clone()
}
