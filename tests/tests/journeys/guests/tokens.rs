//! Invalid visit tokens: random, cut off, altered by a bit, or made for another purpose. None opens a visit.

use data_encoding::BASE64URL_NOPAD;
use infra::secret::Mailed;
use proptest::{collection::vec, prelude::*, sample::Index, test_runner::TestRunner};
use schema::{SessionId, UserId};
use uuid::Uuid;
use waitlist_tests::cases::{cases, runtime};
use waitlist_tests::stage::{Stage, send_bytes};

use super::{Door, party};
use crate::bad_input::assert_is_problem;

const CASES: u32 = 64;

/// Text in place of a valid token, or a change to one.
#[derive(Clone, Debug)]
enum Bad {
    Random(Vec<u8>),
    Text(String),
    Cut(Index),
    Flipped(Index, u8),
    Extended(String),
}

fn bad() -> impl Strategy<Value = Bad> {
    prop_oneof![
        prop_oneof![Just(32_usize), 0..80_usize]
            .prop_flat_map(|length| vec(any::<u8>(), length))
            .prop_map(Bad::Random),
        "[!-.0->@-~]{1,200}".prop_map(Bad::Text),
        any::<Index>().prop_map(Bad::Cut),
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Bad::Flipped(at, bit)),
        "[A-Za-z0-9_=%.-]{1,8}".prop_map(Bad::Extended),
    ]
}

impl Bad {
    fn token(&self, good: &str) -> String {
        match self {
            Self::Random(bytes) => BASE64URL_NOPAD.encode(bytes),
            Self::Text(text) => text.clone(),
            Self::Cut(at) => good[..at.index(good.len())].to_owned(),
            Self::Flipped(at, bit) => {
                let mut bytes = BASE64URL_NOPAD.decode(good.as_bytes()).unwrap();
                *at.get_mut(&mut bytes) ^= 1 << bit;
                BASE64URL_NOPAD.encode(&bytes)
            }
            Self::Extended(more) => format!("{good}{more}"),
        }
    }
}

#[test]
fn an_invalid_visit_token_is_404_with_any_headers_and_body() {
    let mut runner = TestRunner::new(cases(CASES));
    let runtime = runtime();
    let (stage, good) = runtime.block_on(async {
        let stage = Stage::new().await;
        let good = Door::new(&stage).await.join(&party("Ana")).await.token;
        (stage, good)
    });
    let header = prop_oneof![Just(None), "[ -~]{0,60}".prop_map(Some)];
    let headers = [header.clone(), header.clone(), header].map(proptest::strategy::Strategy::boxed);
    let outcome = runner.run(&(bad(), headers, vec(any::<u8>(), 0..20)), |(bad, headers, body)| {
        let token = bad.token(&good);
        prop_assume!(!token.is_empty() && token != good);
        let names = ["sync-token", "if-match", "idempotency-key"].into_iter();
        let mut sent: Vec<(&str, &str)> = names
            .zip(&headers)
            .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
            .collect();
        sent.push(("content-type", "application/json"));
        runtime.block_on(async {
            for (method, action) in [("GET", ""), ("POST", "/confirm"), ("POST", "/leave")] {
                let path = format!("/v1/public/visits/{token}{action}");
                let body = if method == "GET" { Vec::new() } else { body.clone() };
                let answer = send_bytes(&stage.backend, None, method, &path, body.into(), &sent).await;
                prop_assert_eq!(answer.status, 404, "{} {}: {:?}", method, path, answer);
            }
            Ok(())
        })
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_token_made_for_another_purpose_is_404() {
    let stage = Stage::new().await;
    let door = Door::new(&stage).await;
    let ana = door.join(&party("Ana")).await;
    let id: Uuid = ana.id.parse().unwrap();
    let (secrets, now) = (stage.links(), stage.backend.clock.now());
    for token in [
        secrets.refresh_token(SessionId(id), 1),
        secrets.mailed_token(Mailed::Confirmation, UserId(id), now.plus_minutes(10), 1),
        secrets.mailed_token(Mailed::PasswordReset, UserId(id), now.plus_minutes(10), 1),
        secrets.visit_token(schema::WaiteeId(Uuid::from_u128(7))), // valid, of a visit that does not exist
        secrets.visit_token(schema::WaiteeId(door.list.parse().unwrap())),
    ] {
        for (method, action) in [("GET", ""), ("POST", "/confirm"), ("POST", "/leave")] {
            let answer = door.send(method, &format!("/v1/public/visits/{token}{action}"), None, &[]).await;
            assert_is_problem(&answer, 404, "not-found", action);
        }
    }
}
