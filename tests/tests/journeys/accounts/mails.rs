//! Mails to owners: each has its own stream, and the account's stream does not grow by them.

use futures::future::join_all;
use infra::http::Principal;
use schema::{MailId, StreamId, UserId, mail::Kind};
use serde_json::{Value, json};
use waitlist_tests::{
    account::PASSWORD,
    delivery::Post,
    stage::{Stage, send},
};

use super::KEY;
use crate::{bad_input::assert_is_problem, raw::census, reads::feed};

const UNBOUNDED: &str = "mail-account=1000000/1h,mail-address=1000000/1h,reset-account=1000000/24h";

/// More than the authorizer reads of an account's commits.
const RESETS: usize = 30;

fn types(commits: &[schema::Commit]) -> Vec<String> {
    commits.iter().flat_map(|commit| commit.types().unwrap()).collect()
}

#[tokio::test]
async fn a_registration_asks_for_its_welcome_mail_in_the_same_transaction() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    assert_eq!(stage.mails_of(account.id).await, [MailId(account.id.0)]);
    let asked = &stage.commits(MailId(account.id.0)).await[0];
    let registered = &stage.commits(account.id).await[0];
    assert_eq!(asked.events, r#"[{"type":"mail.asked","v":1,"data":{"kind":"welcome","user_seq":1}}]"#);
    assert_eq!((asked.tenant, asked.at), (account.id, registered.at));
    assert_eq!(asked.correlation, registered.correlation);
    assert_eq!(asked.causation, Some(format!("user-{}@1", account.id)));
}

#[tokio::test]
async fn resets_asked_for_by_strangers_reveal_nothing_and_do_not_touch_the_account() {
    let stage = Stage::new().await;
    let backend = stage.bounded(UNBOUNDED);
    let account = stage.account().await;
    for email in [account.email.as_str(), "unknown@example.com"] {
        let body = json!({ "email": email });
        let ask = || send(&backend, None, "POST", "/v1/password-resets", Some(&body), &[]);
        let answers = join_all((0..RESETS).map(|_| ask())).await;
        assert!(
            answers.iter().all(|answer| (answer.status, &answer.body) == (202, &Value::Null)),
            "{answers:?}"
        );
    }
    assert_eq!(types(&stage.commits(account.id).await), ["user.registered"]);
    assert_eq!(stage.mails_of(account.id).await.len(), 1 + RESETS, "the welcome mail and each reset");
    assert!(
        matches!(stage.principal(&account.access).await, Principal::User { .. }),
        "the owner stays signed in"
    );
}

#[tokio::test]
async fn resets_for_one_address_are_bounded_per_day_with_or_without_an_account() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let backend = stage.bounded("mail-account=1000000/1h,mail-address=1000000/1h,reset-account=2/24h");
    for email in [account.email.as_str(), "unknown@example.com"] {
        let body = json!({ "email": email });
        let ask = || send(&backend, None, "POST", "/v1/password-resets", Some(&body), &[]);
        assert_eq!([ask().await.status, ask().await.status], [202, 202]);
        assert_is_problem(&ask().await, 429, "too-many-requests", email);
    }
}

#[tokio::test]
async fn a_repeated_reset_request_with_one_key_is_one_mail() {
    let stage = Stage::new().await;
    let (ana, ben) = (stage.account().await, stage.account().await);
    for account in [&ana, &ana, &ben] {
        let (body, header) = (json!({ "email": account.email }), [("Idempotency-Key", KEY)]);
        let asked = send(&stage.backend, None, "POST", "/v1/password-resets", Some(&body), &header).await;
        assert_eq!(asked.status, 202, "{asked:?}");
    }
    for account in [ana, ben] {
        assert_eq!(stage.mails_of(account.id).await.len(), 2, "the welcome mail and the reset");
    }
}

#[tokio::test]
async fn the_account_page_shows_the_latest_confirmation_mail() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let post = Post::new(&stage);
    let welcome = async |token: &str| {
        let headers = [("Sync-Token", token)];
        let me = owner.send("GET", "/v1/me", None, if token.is_empty() { &[] } else { &headers }).await;
        assert_eq!(me.status, 200, "{me:?}");
        me.body["welcome"].clone()
    };
    assert_eq!(welcome("").await, "due", "before the mail has a row");
    post.deliver(&stage).attend(owner.welcome().into()).await.unwrap();
    feed(&stage).await;
    assert_eq!(welcome("").await, "sent");

    let key = [("Idempotency-Key", "again")];
    let asked = owner.send("POST", "/v1/me/confirmation", Some(&json!({})), &key).await;
    assert_eq!((asked.status, asked.body["seq"].as_u64()), (202, Some(1)), "{asked:?}");
    let token = asked.header("sync-token").to_owned();
    assert_eq!(token, format!("mail-{}@1", asked.id()));
    assert_eq!(welcome("").await, "sent", "the row is behind");
    assert_eq!(welcome(&token).await, "due", "a Sync-Token shows the newer state");
    let again = owner.send("POST", "/v1/me/confirmation", Some(&json!({})), &key).await;
    assert_eq!((again.status, &again.body), (202, &asked.body), "the same request");
    assert_eq!(stage.mails_of(owner.id).await.len(), 2);
    owner.asked(Kind::PasswordReset).await;
    feed(&stage).await;
    assert_eq!(welcome("").await, "due", "a reset is not a confirmation mail");
    post.deliver(&stage).attend(StreamId::from(MailId(asked.id().parse().unwrap()))).await.unwrap();
    feed(&stage).await;
    assert_eq!(welcome("").await, "sent");

    let stranger = stage.registered().await;
    for token in [token, format!("mail-{}@9", stranger.welcome())] {
        let foreign = stranger.send("GET", "/v1/me", None, &[("Sync-Token", &token)]).await;
        assert_is_problem(
            &foreign,
            400,
            "invalid-parameter",
            "a token of another account, or beyond the end",
        );
    }
}

#[tokio::test]
async fn an_unsent_mail_of_an_erased_account_is_skipped() {
    let stage = Stage::new().await;
    let (owner, post) = (stage.registered().await, Post::new(&stage));
    assert_eq!(owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    for is_forgotten in [false, true] {
        let mail = if is_forgotten { owner.asked(Kind::PasswordReset).await } else { owner.welcome() };
        post.announce(&stage.commits(mail).await).await;
        post.work_off(&post.deliver(&stage)).await;
        let commits = stage.commits(mail).await;
        assert_eq!(types(&commits), ["mail.asked", "mail.skipped"]);
        assert!(commits[1].events.contains("erased"), "{}", commits[1].events);
        assert!(post.sent_about(mail).is_empty());
        reactors::erasure::forget(&stage.backend, owner.id.into()).await.unwrap();
    }
}

#[tokio::test]
async fn no_mail_can_be_asked_for_an_erased_account() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let erased =
        stage.with(&account.access, "POST", "/v1/me/erase", json!({ "current_password": PASSWORD })).await;
    assert_eq!(erased.status, 202);
    let before = census(&stage.dynamodb, &stage.prefix).await;
    let asked = stage.anyone("POST", "/v1/password-resets", json!({ "email": account.email })).await;
    assert_eq!((asked.status, asked.body), (202, Value::Null), "the answer reveals nothing");
    let owner = stage.owner_with(account.id, None);
    assert_is_problem(&owner.post("/v1/me/confirmation", json!({})).await, 404, "not-found", "erased");
    let unknown = stage.owner_with(UserId(uuid::Uuid::from_u128(7)), None);
    assert_is_problem(&unknown.post("/v1/me/confirmation", json!({})).await, 404, "not-found", "no account");
    let after = census(&stage.dynamodb, &stage.prefix).await;
    assert_eq!((&before["events"], &before["vault"]), (&after["events"], &after["vault"]));
}
