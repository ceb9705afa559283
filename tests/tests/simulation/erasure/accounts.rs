//! Erasures of accounts.

use infra::vault::{Subject, VaultError};
use reactors::erasure::forget;
use serde_json::{Value, json};
use waitlist_tests::{
    account::PASSWORD,
    stage::{Answer, Owner, Stage},
};

use super::{DELIVERIES_MAX, is_tombstone, kinds, visit::Visit};

#[tokio::test]
async fn an_erased_accounts_guests_are_unreadable_and_its_address_is_free() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let list = owner.list("Main room").await;
    let visit = Visit::begin(&owner, &list).await;
    let email = email(&stage, &owner).await;
    assert_eq!(register(&stage, &email).await.status, 409, "the address is taken");
    assert_eq!(owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    forget(&stage.backend, owner.id.into()).await.unwrap();

    assert_eq!(kinds(&stage.commits(owner.id).await), ["user.registered", "user.erased", "user.forgotten"]);
    assert!(is_tombstone(&stage, Subject::Account(owner.id)).await);
    let vault = stage.another().vault;
    assert!(vault.keys(&[Subject::Account(owner.id), visit.subject()]).await.unwrap().is_empty());
    assert!(matches!(vault.create(visit.subject()).await, Err(VaultError::Erased { .. })));
    assert_eq!(register(&stage, &email).await.status, 201, "the address is free");
    assert_eq!(stage.sign_in(&email, PASSWORD).await.status, 201);
}

/// The first eraser died after it released the address, and its message came again after another account had
/// claimed it.
#[tokio::test]
async fn an_address_claimed_by_another_account_is_not_released() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let email = email(&stage, &owner).await;
    assert_eq!(owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    let claim = stage.backend.claims.of_email(&schema::value::Email::parse(&email).unwrap()).unwrap();
    stage.backend.vault.release(&claim, owner.id).await.unwrap();
    let other = register(&stage, &email).await;
    assert_eq!(other.status, 201, "{other:?}");

    for _ in 0..DELIVERIES_MAX {
        forget(&stage.another(), owner.id.into()).await.unwrap();
        let holder = stage.backend.vault.holder(&claim).await.unwrap().unwrap();
        assert_eq!(holder.to_string(), other.id());
    }
    assert_eq!(kinds(&stage.commits(owner.id).await).last().unwrap(), "user.forgotten");
    assert_eq!(stage.sign_in(&email, PASSWORD).await.status, 201);
}

/// A process with the account's cached key may still create a guest's key. It opens nothing.
#[tokio::test]
async fn a_guest_who_joins_an_erased_account_is_unreadable_within_a_minute() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let list = owner.list("Main room").await; // the account's key is cached from here on
    assert_eq!(owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    forget(&stage.another(), owner.id.into()).await.unwrap();
    let visit = Visit::begin(&owner, &list).await;
    assert!(
        stage.another().vault.key(visit.subject()).await.unwrap().is_none(),
        "other processes cannot read the guest"
    );
    stage.backend.clock.advance_millis(60_000);
    assert!(stage.backend.vault.key(visit.subject()).await.unwrap().is_none());
}

/// An address that does not open cannot be released, so the account's key stays until it is repaired.
#[tokio::test]
async fn a_damaged_address_stops_the_erasure_of_its_account() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let registered = stage.item(owner.id, 1).await["events"].as_s().unwrap().clone();
    let mut events: Value = serde_json::from_str(&registered).unwrap();
    events[0]["data"]["email"] = events[0]["data"]["name"].clone();
    assert_eq!(owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    stage.overwrite(owner.id, 1, "events", &events.to_string()).await;
    forget(&stage.backend, owner.id.into()).await.unwrap_err();
    assert!(!is_tombstone(&stage, Subject::Account(owner.id)).await);
    stage.overwrite(owner.id, 1, "events", &registered).await;
    forget(&stage.backend, owner.id.into()).await.unwrap();
    assert!(is_tombstone(&stage, Subject::Account(owner.id)).await);
}

async fn email(stage: &Stage, owner: &Owner<'_>) -> String {
    let registered = stage.commits(owner.id).await.remove(0);
    let schema::user::Event::Registered(registered) = &registered.facts().unwrap()[0].event else {
        panic!("{registered:?}")
    };
    let key = stage.backend.vault.key(Subject::Account(owner.id)).await.unwrap().unwrap();
    schema::sealed::Personal::clear(&key.open(owner.id.into(), &registered.email).clear().unwrap()).to_owned()
}

async fn register(stage: &Stage, email: &str) -> Answer {
    stage.anyone("POST", "/v1/users", json!({ "email": email, "password": PASSWORD, "name": "Ben" })).await
}
