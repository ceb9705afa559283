//! The links in mails. These tests make the tokens as the mails carry them.

use infra::secret::{Links, Mailed};
use schema::{Time, UserId};
use serde_json::{Value, json};
use waitlist_tests::{
    account::{Account, PASSWORD},
    stage::Stage,
};

use super::OTHER_PASSWORD;
use crate::bad_input::assert_is_problem;

const DAY_MS: i64 = 86_400_000;

struct Scene {
    stage: Stage,
    secrets: Links,
    account: Account,
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let secrets = Links::load_or_create(&stage.keys).unwrap();
        let account = stage.account().await;
        Self { stage, secrets, account }
    }

    fn ends_at(&self) -> Time {
        self.stage.backend.clock.now().plus_millis(DAY_MS)
    }

    fn token(&self, purpose: Mailed, seq: u64) -> String {
        self.secrets.mailed_token(purpose, self.account.id, self.ends_at(), seq)
    }

    async fn confirm(&self, token: &str) -> (u16, Value) {
        let answer = self.stage.anyone("POST", "/v1/users/confirm", json!({ "token": token })).await;
        (answer.status, answer.body)
    }

    async fn reset(&self, token: &str, password: &str) -> u16 {
        self.stage
            .anyone(
                "POST",
                "/v1/password-resets/confirm",
                json!({ "token": token, "new_password": password }),
            )
            .await
            .status
    }
}

#[tokio::test]
async fn a_confirmation_link_can_be_followed_again_and_confirms_once() {
    let scene = Scene::new().await;
    let token = scene.token(Mailed::Confirmation, 1);
    for _ in ["the first time", "again, by a scanner or a double click"] {
        assert_eq!(scene.confirm(&token).await, (204, Value::Null));
    }
    scene.stage.backend.clock.advance_millis(2 * DAY_MS);
    assert_eq!(scene.confirm(&token).await, (204, Value::Null), "a confirmed address stays confirmed");
    let owner = scene.stage.owner_with(scene.account.id, None);
    let asked = owner.post("/v1/me/confirmation", json!({})).await;
    assert_is_problem(&asked, 409, "already-confirmed", "the address is confirmed");
    assert_eq!(scene.stage.commits(scene.account.id).await.len(), 2);
}

#[tokio::test]
async fn an_expired_confirmation_link_confirms_nothing() {
    let scene = Scene::new().await;
    let token = scene.token(Mailed::Confirmation, 1);
    scene.stage.backend.clock.advance_millis(DAY_MS);
    assert_eq!(scene.confirm(&token).await.0, 422);
    assert_eq!(scene.stage.commits(scene.account.id).await.len(), 1);
}

#[tokio::test]
async fn the_confirmation_mail_can_be_asked_for_again_a_few_times() {
    let scene = Scene::new().await;
    for _ in 0..5 {
        let asked = scene.stage.with(&scene.account.access, "POST", "/v1/me/confirmation", json!({})).await;
        assert_eq!(asked.status, 202, "{asked:?}");
    }
    let refused = scene.stage.with(&scene.account.access, "POST", "/v1/me/confirmation", json!({})).await;
    assert_is_problem(&refused, 429, "too-many-requests", "the sixth mail");
    assert_eq!(scene.stage.mails_of(scene.account.id).await.len(), 6, "the welcome mail and five more");
    assert_eq!(scene.stage.commits(scene.account.id).await.len(), 1);
}

#[tokio::test]
async fn every_invalid_link_gets_the_same_answer() {
    let scene = Scene::new().await;
    let Scene { secrets, account, .. } = &scene;
    let unknown = UserId(uuid::Uuid::from_u128(7));
    let mut altered = scene.token(Mailed::Confirmation, 1);
    altered.replace_range(3..4, if &altered[3..4] == "A" { "B" } else { "A" });
    let ended = secrets.mailed_token(Mailed::Confirmation, account.id, scene.stage.backend.clock.now(), 1);
    let bad = [
        ("an empty token", String::new()),
        ("not a token", "!".into()),
        ("an altered token", altered),
        ("an expired token", ended),
        ("a token for another purpose", scene.token(Mailed::PasswordReset, 1)),
        (
            "a token of an unknown account",
            secrets.mailed_token(Mailed::Confirmation, unknown, scene.ends_at(), 1),
        ),
        ("a guest's token", secrets.visit_token(schema::WaiteeId(account.id.0))),
    ];
    let mut answers = Vec::new();
    for (what, token) in &bad {
        let (status, mut body) = scene.confirm(token).await;
        assert_eq!(
            (status, body["type"].as_str().map(|slug| slug.ends_with("/invalid-token"))),
            (422, Some(true)),
            "{what}"
        );
        body["request_id"] = Value::Null;
        answers.push(body);
        let reset_token = token.clone();
        if !what.contains("another purpose") {
            assert_eq!(scene.reset(&reset_token, OTHER_PASSWORD).await, 422, "{what}");
        }
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(scene.stage.commits(account.id).await.len(), 1);
}

#[tokio::test]
async fn a_reset_link_sets_the_password_once_and_ends_every_session() {
    let scene = Scene::new().await;
    let Scene { stage, account, .. } = &scene;
    let token = scene.token(Mailed::PasswordReset, 1);
    assert_eq!(scene.reset(&token, "password").await, 422, "after a weak password the link stays valid");
    assert_eq!(scene.reset(&token, OTHER_PASSWORD).await, 204);
    assert_eq!(scene.reset(&token, "a third passphrase altogether").await, 422, "a used link is invalid");
    assert_eq!(stage.principal(&account.access).await, infra::http::Principal::Anonymous);
    assert_eq!(stage.refresh(&account.refresh).await.status, 401);
    assert_eq!(stage.sign_in(&account.email, PASSWORD).await.status, 401);
    assert_eq!(stage.sign_in(&account.email, OTHER_PASSWORD).await.status, 201);
}

#[tokio::test]
async fn a_changed_password_invalidates_earlier_reset_links() {
    let scene = Scene::new().await;
    let token = scene.token(Mailed::PasswordReset, 1);
    let body = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
    assert_eq!(scene.stage.with(&scene.account.access, "PUT", "/v1/me/password", body).await.status, 204);
    assert_eq!(scene.reset(&token, "a third passphrase altogether").await, 422);
}
