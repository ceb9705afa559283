use infra::{
    Backend, key_files,
    log::Appended,
    secret::Claims,
    vault::{Subject, SubjectKey},
};
use schema::{
    Actor, StreamId, UserId,
    commit::{Author, Tail},
};
use uuid::Uuid;
use waitlist_tests::past::{author, next};

use crate::{Table, same};

/// Appends an account's first event together with its key and its claim.
async fn register(table: &Table, user: UserId, claim: &str) -> (SubjectKey, Appended) {
    let vault = table.vault();
    let (key, keep_key) = vault.prepare(user).await.unwrap();
    let author = Author { tenant: user, actor: Actor::User(user), ..author() };
    let fact = schema::user::Event::EmailConfirmed {};
    let commit = next(StreamId::from(user), &Tail::EMPTY, &author, &[fact]);
    let extra_puts = vec![keep_key, vault.claim(claim, user).unwrap()];
    (key, table.stage.backend.log.append(&[commit], extra_puts).await.unwrap())
}

#[tokio::test]
async fn an_accounts_first_key_and_claim_are_stored_only_with_its_first_event() {
    let table = Table::new().await;
    let [ana, ben] = [1, 2].map(|n| UserId(Uuid::from_u128(n)));
    let (key, appended) = register(&table, ana, "claim").await;
    assert_eq!(appended, Appended::Landed);
    assert!(same(&key, &table.vault().key(Subject::Account(ana)).await.unwrap().unwrap()));
    assert_eq!(table.vault().holder("claim").await.unwrap(), Some(ana));

    let (_, appended) = register(&table, ben, "claim").await;
    assert_eq!(appended, Appended::Conflict, "the address is taken");
    assert!(table.vault().key(Subject::Account(ben)).await.unwrap().is_none());
    assert!(table.stage.commits(ben).await.is_empty());

    table.erase(Subject::Account(ben)).await;
    let (_, appended) = register(&table, ben, "another").await;
    assert_eq!(appended, Appended::Conflict, "an erased account gets no key, so its event is not appended");
    assert_eq!(table.vault().holder("another").await.unwrap(), None);
}

#[tokio::test]
async fn a_claims_key_that_stored_claims_were_not_made_with_is_refused() {
    let table = Table::new().await;
    let backend = &table.stage.backend;
    for _ in 0..2 {
        backend.check_claims().await.unwrap();
    }
    assert_eq!(table.items().await.len(), 1);
    let other = tempfile::tempdir().unwrap();
    key_files::make(other.path()).unwrap();
    let other = Backend { claims: Claims::load(other.path()).unwrap(), ..backend.clone() };
    let refused = other.check_claims().await.unwrap_err();
    assert!(!refused.is_passing());
    assert!(refused.chain().contains("the claims key is not the one"), "{}", refused.chain());
    backend.check_claims().await.unwrap();
}

#[tokio::test]
async fn a_claim_is_released_only_by_the_account_that_holds_it() {
    let table = Table::new().await;
    let [ana, ben] = [1, 2].map(|n| UserId(Uuid::from_u128(n)));
    register(&table, ana, "claim").await;
    let vault = table.vault();
    vault.release("claim", ben).await.unwrap();
    assert_eq!(vault.holder("claim").await.unwrap(), Some(ana));
    for _ in 0..2 {
        vault.release("claim", ana).await.unwrap();
        assert_eq!(vault.holder("claim").await.unwrap(), None);
    }
    let (_, appended) = register(&table, ben, "claim").await;
    assert_eq!(appended, Appended::Landed);
    vault.release("claim", ana).await.unwrap();
    assert_eq!(vault.holder("claim").await.unwrap(), Some(ben), "a late repetition changes nothing");
}
