//! The units of a mail to an owner, and that such mails do not make the account's own commands dearer.

use schema::{MailId, StreamId, WaiteeId, commit::Tail, mail};
use serde_json::{Value, json};
use waitlist_tests::{
    account::{Account, PASSWORD},
    costs::documented,
    delivery::Post,
    meter::{Meter, Units},
    past::{author, next},
    stage::{Stage, send},
};

use super::{reads, units};

/// Password resets asked for by strangers.
const RESETS: usize = 1_000;

#[tokio::test]
async fn asking_for_a_reset_writes_one_mail() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let _before = stage.meter.take();
    let asked = stage.anyone("POST", "/v1/password-resets", json!({ "email": account.email })).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let used = stage.meter.take();
    assert_eq!(used.writes, units([("events", 1), ("events/audit", 1), ("limits", 3)]));
    documented(&stage, "asking for a password reset", &used);
    if stage.counts_as_documented() {
        assert_eq!(used.reads, reads([("events", 2.0), ("vault", 1.0)]));
    }
}

/// Returns the units of a sign-in, a rename and a text to a guest.
async fn commands(stage: &Stage, account: &Account) -> Vec<(&'static str, Units, Units)> {
    let post = Post::new(stage);
    let owner = stage.owner_with(account.id, None);
    let list = owner.list("Main room").await;
    let party = json!({ "name": "Ana", "party_size": 2, "phone": "(415) 555-2671" });
    let guest: WaiteeId =
        owner.post(&format!("/v1/waitlists/{list}/waitees"), party).await.id().parse().unwrap();
    assert_eq!(owner.post(&format!("/v1/waitees/{guest}/call"), json!({})).await.status, 202);
    let deliver = post.deliver_over(stage.backend.clone());
    let take = |meter: &Meter, what| {
        let used = meter.take();
        (what, used.reads, used.writes)
    };
    let _before = stage.meter.take();
    assert_eq!(stage.sign_in(&account.email, PASSWORD).await.status, 201);
    let signed_in = take(&stage.meter, "a sign-in");
    let renamed = owner.send("PATCH", "/v1/me", Some(&json!({ "name": "Ben" })), &[]).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    let renamed = take(&stage.meter, "a rename");
    deliver.attend(guest.into()).await.unwrap();
    let texted = take(&stage.meter, "a text to a guest");
    assert_eq!(post.sent_about(guest).len(), 1);
    vec![signed_in, renamed, texted]
}

#[tokio::test]
async fn an_accounts_commands_cost_the_same_after_a_thousand_resets() {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let owner = stage.owner_with(account.id, None);
    owner.happened(schema::user::Event::EmailConfirmed {}).await;
    let _first = commands(&stage, &account).await; // keys are cached from here on
    let before = commands(&stage, &account).await;

    let body: Value = json!({ "email": account.email });
    let backend = stage.bounded("mail-account=1000000/1h,mail-address=1000000/1h,reset-account=1000000/24h");
    for _ in 0..3 {
        let asked = send(&backend, None, "POST", "/v1/password-resets", Some(&body), &[]).await;
        assert_eq!(asked.status, 202, "{asked:?}");
    }
    // The rest are written directly, in the same form.
    let author = schema::commit::Author { tenant: account.id, ..author() };
    let reset = mail::Event::Asked(mail::Asked { kind: mail::Kind::PasswordReset, user_seq: 1 });
    let resets = (3..RESETS).map(|number| {
        let stream = StreamId::from(MailId(uuid::Uuid::from_u128(number as u128)));
        next(stream, &Tail::EMPTY, &author, std::slice::from_ref(&reset))
    });
    stage.put_past(&resets.collect::<Vec<_>>()).await;
    assert_eq!(stage.mails_of(account.id).await.len(), 1 + RESETS);
    assert_eq!(commands(&stage, &account).await, before);
}
