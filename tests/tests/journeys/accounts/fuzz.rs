//! Generated tokens and headers: none is accepted, and none causes a server error.

use infra::http::Principal;
use proptest::{prelude::*, sample::Index, test_runner::TestRunner};
use serde_json::json;
use waitlist_tests::cases::runtime;
use waitlist_tests::stage::{Stage, send};

/// Text in place of a valid token, or a change to one.
#[derive(Clone, Debug)]
enum Token {
    Any(String),
    Flipped(Index, u8),
    Cut(Index),
    Longer(String),
}

fn tokens() -> impl Strategy<Value = Token> {
    prop_oneof![
        2 => prop_oneof![any::<String>(), "[A-Za-z0-9_-]{0,120}", "[A-Za-z0-9_-]{1,60}\\.[A-Za-z0-9_-]{1,90}\\.[A-Za-z0-9_-]{0,86}"].prop_map(Token::Any),
        4 => (any::<Index>(), 1..=255_u8).prop_map(|(at, bits)| Token::Flipped(at, bits)),
        1 => any::<Index>().prop_map(Token::Cut),
        1 => "[A-Za-z0-9_=.-]{1,20}".prop_map(Token::Longer),
    ]
}

/// Returns a token that differs from the valid one.
fn spoiled(token: &Token, good: &str) -> String {
    let mut bytes = good.as_bytes().to_vec();
    match token {
        Token::Any(text) => return text.clone(),
        Token::Flipped(at, bits) => *at.get_mut(&mut bytes) ^= bits,
        Token::Cut(at) => bytes.truncate(at.index(good.len())),
        Token::Longer(more) => bytes.extend(more.as_bytes()),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn an_altered_or_invented_token_is_refused_and_causes_no_error() {
    let runtime = runtime();
    let (stage, account, mailed) = runtime.block_on(async {
        let stage = Stage::new().await;
        let account = stage.account().await;
        let ends_at = stage.backend.clock.now().plus_millis(i64::from(u32::MAX) * 1_000);
        let mailed = stage.links().mailed_token(infra::secret::Mailed::Confirmation, account.id, ends_at, 1);
        (stage, account, mailed)
    });
    let outcome = TestRunner::default().run(&tokens(), |token| {
        runtime.block_on(async {
            stage.backend.clock.advance_millis(3_600_000 / 50); // so that the bound on attempts is not reached
            let access = spoiled(&token, &account.access);
            let refresh = spoiled(&token, &account.refresh);
            let link = spoiled(&token, &mailed);
            let scheme = format!("Bearer {access}");
            for header in [access.as_str(), &scheme, "Bearer", &scheme.to_uppercase()] {
                let principal = commands::authorizer::authorize(&stage.backend, Some(header)).await.unwrap();
                prop_assert_eq!(principal, Principal::Anonymous, "{}", header);
            }
            let refused = stage.refresh(&refresh).await;
            prop_assert_eq!(refused.status, 401, "{:?}", refused);
            let refused = stage.anyone("POST", "/v1/users/confirm", json!({ "token": link })).await;
            prop_assert_eq!(refused.status, 422, "{:?}", refused);
            Ok(())
        })
    });
    outcome.unwrap();
    let commits = runtime.block_on(stage.commits(account.id));
    assert_eq!(commits.len(), 1, "no token took effect");
}

#[test]
fn any_header_is_accepted_or_refused_by_name() {
    let runtime = runtime();
    let (stage, owner) = runtime.block_on(async {
        let stage = Stage::new().await;
        let account = stage.account().await;
        let principal = stage.principal(&account.access).await;
        (stage, principal)
    });
    let value =
        prop_oneof!["[ -~]{0,40}", "\"[0-9]{0,25}\"", "user-[0-9a-f-]{36}@[0-9]{1,25}", "[!-~]{1,140}"];
    let name = prop::sample::select(vec![
        "if-match",
        "if-none-match",
        "sync-token",
        "idempotency-key",
        "content-type",
    ]);
    let outcome = TestRunner::default().run(&(name, value), |(name, value)| {
        runtime.block_on(async {
            for (method, path, body) in [("GET", "/v1/me", None), ("PATCH", "/v1/me", Some(json!({})))] {
                let answer = send(
                    &stage.backend,
                    Some(owner.clone()),
                    method,
                    path,
                    body.as_ref(),
                    &[(name, value.as_str())],
                )
                .await;
                prop_assert!(answer.status < 500, "{} {}: {:?}", name, value, answer);
            }
            Ok(())
        })
    });
    outcome.unwrap();
}
