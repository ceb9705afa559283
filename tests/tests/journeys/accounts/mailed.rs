//! What the links in mails do. The mails carry tokens that are made here as they are made there.

use infra::secret::{Mailed, Secrets};
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
    secrets: Secrets,
    account: Account,
}

impl Scene {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let secrets = Secrets::load_or_create(&stage.keys).unwrap();
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
async fn a_confirmation_link_may_be_followed_again_and_confirms_once() {
    let scene = Scene::new().await;
    let token = scene.token(Mailed::Confirmation, 1);
    for _ in ["followed", "followed again, by a scanner or a double click"] {
        assert_eq!(scene.confirm(&token).await, (204, Value::Null));
    }
    scene.stage.backend.clock.advance_millis(2 * DAY_MS);
    assert_eq!(scene.confirm(&token).await, (204, Value::Null), "what it confirms stays confirmed");
    let owner = scene.stage.owner_with(scene.account.id, None);
    let asked = owner.post("/v1/me/confirmation", json!({})).await;
    assert_is_problem(&asked, 409, "already-confirmed", "nothing is left to confirm");
    assert_eq!(scene.stage.commits(scene.account.id).await.len(), 2);
}

#[tokio::test]
async fn a_confirmation_link_that_has_ended_confirms_nothing() {
    let scene = Scene::new().await;
    let token = scene.token(Mailed::Confirmation, 1);
    scene.stage.backend.clock.advance_millis(DAY_MS);
    assert_eq!(scene.confirm(&token).await.0, 422);
    assert_eq!(scene.stage.commits(scene.account.id).await.len(), 1);
}

#[tokio::test]
async fn the_welcome_mail_can_be_asked_for_again_but_not_for_ever() {
    let scene = Scene::new().await;
    for _ in 0..5 {
        let asked = scene.stage.with(&scene.account.access, "POST", "/v1/me/confirmation", json!({})).await;
        assert_eq!(asked.status, 202, "{asked:?}");
    }
    let refused = scene.stage.with(&scene.account.access, "POST", "/v1/me/confirmation", json!({})).await;
    assert_is_problem(&refused, 429, "too-many-requests", "the sixth mail");
    assert_eq!(scene.stage.mails_of(scene.account.id).await.len(), 6, "the welcome mail, and five more");
    assert_eq!(scene.stage.commits(scene.account.id).await.len(), 1);
}

#[tokio::test]
async fn a_link_that_is_not_good_says_nothing_about_why() {
    let scene = Scene::new().await;
    let Scene { secrets, account, .. } = &scene;
    let nobody = UserId(uuid::Uuid::from_u128(7));
    let mut altered = scene.token(Mailed::Confirmation, 1);
    altered.replace_range(3..4, if &altered[3..4] == "A" { "B" } else { "A" });
    let ended = secrets.mailed_token(Mailed::Confirmation, account.id, scene.stage.backend.clock.now(), 1);
    let bad = [
        ("nothing", String::new()),
        ("no token", "!".into()),
        ("an altered one", altered),
        ("one that has ended", ended),
        ("one for another purpose", scene.token(Mailed::PasswordReset, 1)),
        ("one for nobody", secrets.mailed_token(Mailed::Confirmation, nobody, scene.ends_at(), 1)),
        ("a guest's", secrets.visit_token(schema::WaiteeId(account.id.0))),
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
async fn a_password_is_reset_by_its_link_once_and_every_session_ends() {
    let scene = Scene::new().await;
    let Scene { stage, account, .. } = &scene;
    let token = scene.token(Mailed::PasswordReset, 1);
    assert_eq!(scene.reset(&token, "password").await, 422, "weak: the link stays good");
    assert_eq!(scene.reset(&token, OTHER_PASSWORD).await, 204);
    assert_eq!(scene.reset(&token, "a third passphrase altogether").await, 422, "void once used");
    assert_eq!(stage.principal(&account.access).await, infra::http::Principal::Nobody);
    assert_eq!(stage.refresh(&account.refresh).await.status, 401);
    assert_eq!(stage.sign_in(&account.email, PASSWORD).await.status, 401);
    assert_eq!(stage.sign_in(&account.email, OTHER_PASSWORD).await.status, 201);
}

#[tokio::test]
async fn a_changed_password_voids_the_links_that_were_out() {
    let scene = Scene::new().await;
    let token = scene.token(Mailed::PasswordReset, 1);
    let body = json!({ "current_password": PASSWORD, "new_password": OTHER_PASSWORD });
    assert_eq!(scene.stage.with(&scene.account.access, "PUT", "/v1/me/password", body).await.status, 204);
    assert_eq!(scene.reset(&token, "a third passphrase altogether").await, 422);
}
