use std::collections::HashSet;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use infra::vault::{FileKey, MasterKey, Subject, SubjectKey, Vault, VaultError};
use waitlist_tests::{external, meter::Used};

use crate::{ACCOUNT, Table, guest, same, two_guests, units};

#[tokio::test]
async fn a_key_is_the_same_in_every_process() {
    let (table, ana, ben) = two_guests().await;
    let elsewhere = table.vault();
    assert!(same(&ana, &elsewhere.key(guest(1)).await.unwrap().unwrap()));
    assert!(same(&ben, &elsewhere.create(guest(2)).await.unwrap()), "creating again returns the stored key");
    assert!(!same(&ana, &ben));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_creations_of_a_key_give_the_same_key() {
    let table = Table::new().await;
    for subject in [ACCOUNT, guest(1)] {
        let vaults: Vec<Vault> = (0..8).map(|_| table.vault()).collect();
        let racing = vaults.iter().map(|vault| vault.create(subject));
        let keys: Vec<SubjectKey> = futures::future::try_join_all(racing).await.unwrap();
        assert!(keys.iter().all(|key| same(key, &keys[0])));
        assert!(same(&keys[0], &table.vault().key(subject).await.unwrap().unwrap()), "the stored key");
    }
}

#[tokio::test]
async fn a_guest_gets_no_key_before_its_account_has_one() {
    let table = Table::new().await;
    let vault = table.vault();
    assert!(vault.key(guest(1)).await.unwrap().is_none());
    assert!(matches!(vault.create(guest(1)).await, Err(VaultError::Gone { subject: ACCOUNT })));
}

#[tokio::test]
async fn the_absence_of_a_key_is_not_cached() {
    let (table, ..) = two_guests().await;
    let (vault, elsewhere) = (table.vault(), table.vault());
    assert!(vault.key(guest(3)).await.unwrap().is_none());
    elsewhere.create(guest(3)).await.unwrap();
    assert!(vault.key(guest(3)).await.unwrap().is_some());
}

#[tokio::test]
async fn the_keys_of_a_board_are_read_a_hundred_per_call_and_once_a_minute() {
    let reasons_to_skip = [
        ("ministack", "ministack counts no units of BatchGetItem"),
        ("dynamodb-local", "DynamoDB Local counts no unit for a missing key; AWS documents one"),
    ];
    if let Some((_, reason)) = reasons_to_skip.iter().find(|(engine, _)| external::is_on(engine)) {
        println!("SKIPPED the_keys_of_a_board_are_read_a_hundred_per_call_and_once_a_minute: {reason}");
        return;
    }
    let (table, ..) = two_guests().await;
    let maker = table.vault();
    let board: Vec<Subject> = (100..350).map(guest).collect();
    for &subject in &board {
        maker.create(subject).await.unwrap();
    }
    let asked: Vec<Subject> = board.iter().copied().chain([guest(999), board[0]]).collect();
    let vault = table.vault();
    let _before = table.stage.meter.take();

    let keys = vault.keys(&asked).await.unwrap();
    assert_eq!(
        keys.keys().copied().collect::<HashSet<_>>(),
        board.iter().copied().collect(),
        "only the keys asked for that exist"
    );
    // A unit each for 250 guests, their account and one missing guest; 252 keys take three calls.
    assert_eq!(table.stage.meter.take(), Used { reads: units(252.0), calls: 3, ..Used::default() });

    vault.clone().keys(&board).await.unwrap();
    assert_eq!(table.stage.meter.take(), Used::default(), "clones share the cache");
    table.pass(60_000);
    vault.keys(&board[..10]).await.unwrap();
    assert_eq!(table.stage.meter.take(), Used { reads: units(11.0), calls: 1, ..Used::default() });
    assert!(vault.keys(&[]).await.unwrap().is_empty());
    assert_eq!(table.stage.meter.take(), Used::default());
}

#[tokio::test]
async fn creating_a_guests_key_costs_one_write_unit() {
    let (table, ..) = two_guests().await;
    let vault = table.vault();
    vault.key(ACCOUNT).await.unwrap();
    let _before = table.stage.meter.take();
    vault.create(guest(3)).await.unwrap();
    assert_eq!(table.stage.meter.take(), Used { writes: units(1.0), calls: 1, ..Used::default() });
}

#[tokio::test]
async fn the_vault_holds_wrapped_keys_only() {
    let (table, ana, _) = two_guests().await;
    assert!(!format!("{ana:?}").contains(|c: char| c.is_ascii_digit()));
    let items = table.items().await;
    assert_eq!(items.len(), 3);
    for item in items {
        let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["subject", "wrapped"]);
        let wrapped = item["wrapped"].as_b().map(Blob::as_ref).unwrap();
        assert_eq!(wrapped.len(), 12 + 32 + 16, "nonce, key, tag");
    }
}

#[tokio::test]
async fn an_altered_item_is_an_error_and_not_a_missing_key() {
    let (table, ..) = two_guests().await;
    let swap = |subject: Subject, attribute: &'static str, wrapped: Vec<u8>| {
        let put = table.stage.dynamodb.put_item().table_name(&table.name);
        put.item("subject", AttributeValue::S(subject.to_string()))
            .item(attribute, AttributeValue::B(Blob::new(wrapped)))
            .send()
    };
    let items = table.items().await;
    let bens = items.iter().find(|item| item["subject"].as_s().unwrap() == &guest(2).to_string()).unwrap();
    swap(guest(1), "wrapped", bens["wrapped"].as_b().unwrap().as_ref().to_vec()).await.unwrap();
    assert!(
        matches!(table.vault().key(guest(1)).await, Err(VaultError::Unfit { subject }) if subject == guest(1))
    );
    swap(guest(1), "other", vec![0]).await.unwrap();
    assert!(
        matches!(table.vault().key(guest(1)).await, Err(VaultError::Malformed { subject }) if subject == guest(1))
    );
    swap(ACCOUNT, "wrapped", vec![0; 60]).await.unwrap();
    assert!(matches!(table.vault().key(guest(2)).await, Err(VaultError::Master { subject: ACCOUNT, .. })));
}

#[tokio::test]
async fn a_failed_read_is_an_error_and_not_a_missing_key() {
    let table = Table::new().await;
    let master = FileKey::open(&table.stage.keys.join("master")).unwrap();
    let vault = Vault::new(
        table.stage.dynamodb.clone(),
        "no-such-table".into(),
        MasterKey::File(master),
        table.stage.backend.clock.clone(),
    );
    let error = vault.key(ACCOUNT).await.unwrap_err();
    assert_eq!(error.to_string(), format!("read {ACCOUNT} from the vault"));
    assert!(std::error::Error::source(&error).is_some());
    assert!(matches!(vault.create(ACCOUNT).await, Err(VaultError::Put { subject: ACCOUNT, .. })));
}
