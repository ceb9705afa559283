use aws_sdk_dynamodb::types::AttributeValue;
use infra::vault::VaultError;
use waitlist_tests::meter::{Units, Used};

use crate::{ACCOUNT, guest, two_guests, units};

#[tokio::test]
async fn an_erased_guest_never_gets_a_key_again() {
    let (table, ..) = two_guests().await;
    table.erase(guest(1)).await;
    let vault = table.vault();
    assert!(
        matches!(vault.create(guest(1)).await, Err(VaultError::Erased { subject }) if subject == guest(1))
    );
    assert!(vault.key(guest(1)).await.unwrap().is_none());
    assert!(vault.key(guest(2)).await.unwrap().is_some(), "the other guest keeps its key");
}

#[tokio::test]
async fn erasing_an_account_erases_the_keys_of_its_guests() {
    let (table, ..) = two_guests().await;
    table.erase(ACCOUNT).await;
    let vault = table.vault();
    assert!(vault.keys(&[ACCOUNT, guest(1), guest(2)]).await.unwrap().is_empty());
    for subject in [ACCOUNT, guest(1), guest(3)] {
        assert!(
            matches!(vault.create(subject).await, Err(VaultError::Erased { subject: ACCOUNT })),
            "{subject}"
        );
    }
}

#[tokio::test]
async fn an_item_with_a_tombstone_and_a_key_counts_as_erased() {
    let (table, ..) = two_guests().await;
    let update = table.stage.dynamodb.update_item().table_name(&table.name);
    let update =
        update.key("subject", AttributeValue::S(guest(1).to_string())).update_expression("SET erased = :yes");
    update.expression_attribute_values(":yes", AttributeValue::Bool(true)).send().await.unwrap();
    assert!(table.vault().key(guest(1)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_process_that_cached_an_erased_key_uses_it_for_a_minute_at_most() {
    let (table, ..) = two_guests().await;
    let vault = table.vault();
    vault.key(ACCOUNT).await.unwrap();
    table.pass(59_000);
    table.erase(ACCOUNT).await;
    assert!(vault.key(guest(1)).await.unwrap().is_some(), "the account's key is still cached");
    table.pass(1_000);
    assert!(vault.key(guest(1)).await.unwrap().is_none(), "a guest's key counts as old as its account's");
    assert!(vault.key(ACCOUNT).await.unwrap().is_none());
}

#[tokio::test]
async fn burying_a_subject_drops_its_cached_keys_at_once() {
    let (table, ..) = two_guests().await;
    let vault = table.vault();
    assert_eq!(vault.keys(&[ACCOUNT, guest(1), guest(2)]).await.unwrap().len(), 3);
    vault.bury(guest(1)).await.unwrap();
    assert!(vault.key(guest(1)).await.unwrap().is_none());
    assert!(vault.key(guest(2)).await.unwrap().is_some(), "the other guest keeps its key");
    vault.bury(ACCOUNT).await.unwrap();
    assert!(vault.keys(&[ACCOUNT, guest(1), guest(2)]).await.unwrap().is_empty());
}

#[tokio::test]
async fn burying_a_subject_once_or_twice_leaves_only_a_tombstone() {
    let (table, ..) = two_guests().await;
    for subject in [guest(1), guest(1), guest(9)] {
        table.vault().bury(subject).await.unwrap();
        let items = table.items().await;
        let item = items.iter().find(|item| item["subject"].as_s().unwrap() == &subject.to_string()).unwrap();
        assert_eq!((item.len(), item["erased"].as_bool()), (2, Ok(&true)), "{item:?}");
        assert!(
            matches!(table.vault().create(subject).await, Err(VaultError::Erased { .. })),
            "also for a guest that never had a key"
        );
    }
}

#[tokio::test]
async fn burying_a_subject_costs_one_write_unit() {
    let (table, ..) = two_guests().await;
    let vault = table.vault();
    let _before = table.stage.meter.take();
    vault.bury(guest(1)).await.unwrap();
    assert_eq!(table.stage.meter.take(), Used { reads: Units::new(), writes: units(1.0), calls: 1 });
}
