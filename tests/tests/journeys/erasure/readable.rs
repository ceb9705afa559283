//! A search of all stored data for texts that some key opens.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64URL_NOPAD;
use infra::vault::{Subject, SubjectKey};
use schema::{
    Sealed, StreamId, UserId, WaiteeId,
    sealed::Personal,
    table::{EVENTS, LOCAL, VAULT},
    value::{Email, Name, Note, PasswordHash, Phone, Reason},
};
use serde_json::Value;
use waitlist_tests::{rows::deployed, stage::Stage};

use crate::{place::text, raw::scan};

/// The shortest sealed value: kind of key, nonce and tag.
const SEALED_BYTES_MIN: usize = 1 + 12 + 16;

/// Returns all texts in all tables, at any depth.
async fn texts(stage: &Stage) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for table in deployed(&stage.dynamodb, &stage.prefix).await.iter().chain(LOCAL) {
        for item in scan(&stage.dynamodb, table, &stage.prefix).await {
            item.values().for_each(|value| collect(value, &mut texts));
        }
    }
    texts
}

fn collect(value: &AttributeValue, texts: &mut BTreeSet<String>) {
    match value {
        AttributeValue::S(text) => collect_text(text, texts),
        AttributeValue::Ss(several) => several.iter().for_each(|text| collect_text(text, texts)),
        AttributeValue::L(values) => values.iter().for_each(|value| collect(value, texts)),
        AttributeValue::M(values) => values.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}

/// Collects a text, and the texts within it if it is JSON, as events and messages are.
fn collect_text(text: &str, texts: &mut BTreeSet<String>) {
    fn within(value: &Value, texts: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => collect_text(text, texts),
            Value::Array(values) => values.iter().for_each(|value| within(value, texts)),
            Value::Object(values) => values.values().for_each(|value| within(value, texts)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    texts.insert(text.to_owned());
    if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
        within(&value, texts);
    }
}

/// Returns every key that the master key and the whole vault yield. Each guest's key is tried under each
/// account.
async fn keys(stage: &Stage) -> Vec<SubjectKey> {
    let items = scan(&stage.dynamodb, &VAULT, &stage.prefix).await;
    let named = |kind: &str| -> Vec<String> {
        items.iter().filter_map(|item| text(item, "subject").strip_prefix(kind).map(str::to_owned)).collect()
    };
    let accounts: Vec<UserId> = named("account-").iter().map(|id| id.parse().unwrap()).collect();
    let guests: Vec<WaiteeId> = named("guest-").iter().map(|id| id.parse().unwrap()).collect();
    let mut keys = Vec::new();
    for &account in &accounts {
        let of_guests = guests.iter().map(|&guest| Subject::Guest { account, guest });
        for subject in of_guests.chain([Subject::Account(account)]) {
            let vault = stage.another().vault; // without cached keys
            if let Ok(Some(key)) = vault.key(subject).await {
                keys.push(key);
            }
        }
    }
    keys
}

/// Returns all clear texts that can be read, by trying every key and stream on every sealed value.
pub(super) async fn readable(stage: &Stage) -> BTreeSet<String> {
    let streams: BTreeSet<StreamId> = scan(&stage.dynamodb, &EVENTS, &stage.prefix)
        .await
        .iter()
        .map(|item| text(item, "stream").parse().unwrap())
        .collect();
    let (texts, keys) = (texts(stage).await, keys(stage).await);
    let is_sealed = |text: &&String| {
        BASE64URL_NOPAD.decode(text.as_bytes()).is_ok_and(|bytes| bytes.len() >= SEALED_BYTES_MIN)
    };
    let mut found = BTreeSet::new();
    for sealed in texts.iter().filter(is_sealed) {
        for key in &keys {
            for stream in &streams {
                found.extend(open::<Name>(key, *stream, sealed));
                found.extend(open::<Email>(key, *stream, sealed));
                found.extend(open::<Phone>(key, *stream, sealed));
                found.extend(open::<Note>(key, *stream, sealed));
                found.extend(open::<Reason>(key, *stream, sealed));
                found.extend(open::<PasswordHash>(key, *stream, sealed));
            }
        }
    }
    found
}

fn open<T: Personal>(key: &SubjectKey, stream: StreamId, sealed: &str) -> Option<String> {
    key.open::<T>(stream, &Sealed::from_text(sealed.to_owned())).clear().map(|value| value.clear().to_owned())
}
