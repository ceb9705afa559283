use super::*;
use uuid::Uuid;

const ANA: UserId = UserId(Uuid::from_u128(1));
const SESSION: SessionId = SessionId(Uuid::from_u128(2));
/// The public key of RFC 8037, appendix A.2.
const RFC_8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn now() -> Time {
    "2026-11-21T03:00:00Z".parse().unwrap()
}

fn kids(jwks: &Jwks) -> Vec<String> {
    jwks.keys.iter().map(|key| key.kid.clone()).collect()
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
