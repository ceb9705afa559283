use infra::vault::SubjectKey;
use proptest::prelude::*;
use schema::{
    Sealed, StreamId, UserId,
    sealed::{Opened, Personal},
    value::{Email, Name, Note, Phone},
};
use uuid::Uuid;
use waitlist_tests::cases::{cases, runtime};

use crate::{ACCOUNT, two_guests, visit};

#[test]
fn a_value_opens_only_with_its_key_and_in_the_stream_and_field_it_was_sealed_for() {
    let runtime = runtime();
    let (_table, ana, ben) = runtime.block_on(two_guests());
    let texts = (any::<String>(), any::<u128>(), any::<proptest::sample::Index>(), 0..8_u8);
    proptest!(cases(128), |((text, id, index, bit) in texts)| {
        let note = Note::from_clear(text.clone());
        let sealed = ana.seal(visit(id), &note);
        prop_assert_eq!(ana.open(visit(id), &sealed), Opened::Clear(note.clone()));

        prop_assert_eq!(ana.open(visit(id ^ 1), &sealed), Opened::Damaged, "another stream");
        prop_assert_eq!(ana.open(StreamId::from(UserId(Uuid::from_u128(id))), &sealed), Opened::Damaged, "another category");
        prop_assert_eq!(ana.open(visit(id), &Sealed::<Name>::from_text(sealed.text().into())), Opened::Damaged, "another field");
        prop_assert_eq!(ben.open(visit(id), &sealed), Opened::Damaged, "the key of another guest");

        let mut bytes = data_encoding::BASE64URL_NOPAD.decode(sealed.text().as_bytes()).unwrap();
        let at = index.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let flipped = Sealed::<Note>::from_text(data_encoding::BASE64URL_NOPAD.encode(&bytes));
        prop_assert_eq!(ana.open(visit(id), &flipped), Opened::Damaged, "bit {} of byte {}", bit, at);

        let mut characters = sealed.text().as_bytes().to_vec();
        let at = index.index(characters.len());
        characters[at] = if characters[at] == b'A' { b'B' } else { b'A' };
        let altered = Sealed::<Note>::from_text(String::from_utf8(characters).unwrap());
        prop_assert_eq!(ana.open(visit(id), &altered), Opened::Damaged, "character {}", at);

        prop_assert!(ana.seal(visit(id), &note) != sealed, "sealing twice gives different texts");
    });
}

#[tokio::test]
async fn a_text_that_is_no_sealed_value_does_not_open() {
    let (_table, ana, _) = two_guests().await;
    for text in ["", "Z", "Zw", "not base64!", "Z\u{e4}", &"A".repeat(100)] {
        assert_eq!(ana.open(visit(1), &Sealed::<Name>::from_text(text.into())), Opened::Damaged, "{text}");
    }
}

#[tokio::test]
async fn an_accounts_key_does_not_open_its_guests_values() {
    let (table, ana, _) = two_guests().await;
    let account = table.vault().key(ACCOUNT).await.unwrap().unwrap();
    let sealed = ana.seal(visit(1), &Name::from_clear("Ana".into()));
    assert_eq!(account.open(visit(1), &sealed), Opened::Damaged);
    assert!(
        ana.seal(visit(1), &Name::from_clear("Ana".into())).text().starts_with('Z'),
        "the first byte is g for a guest"
    );
    assert!(
        account.seal(visit(1), &Name::from_clear("Ana".into())).text().starts_with('Y'),
        "the first byte is a for an account"
    );
}

#[tokio::test]
async fn a_mac_differs_by_key_purpose_and_parts() {
    let (_table, ana, ben) = two_guests().await;
    let mac = |key: &SubjectKey, purpose: &str, parts: &[&str]| {
        key.mac(purpose, &parts.iter().map(|part| part.as_bytes()).collect::<Vec<_>>())
    };
    let tag = mac(&ana, "request", &["POST", "/v1/waitees"]);
    assert_eq!(tag, mac(&ana, "request", &["POST", "/v1/waitees"]));
    let others = [
        mac(&ben, "request", &["POST", "/v1/waitees"]),
        mac(&ana, "requests", &["POST", "/v1/waitees"]),
        mac(&ana, "request", &["POST/", "v1/waitees"]),
        mac(&ana, "request", &["POST", "/v1/waitees", ""]),
        mac(&ana, "", &["request", "POST", "/v1/waitees"]),
    ];
    assert!(others.iter().all(|other| *other != tag));
}

#[tokio::test]
async fn a_sealed_value_contains_no_part_of_the_clear_text() {
    let (_table, ana, _) = two_guests().await;
    let texts = [
        ana.seal(visit(1), &Name::from_clear("Ana Maria".into())).text().to_owned(),
        ana.seal(visit(1), &Email::from_clear("Ana Maria".into())).text().to_owned(),
        ana.seal(visit(1), &Phone::from_clear("Ana Maria".into())).text().to_owned(),
    ];
    for text in texts {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
        assert!(!bytes.windows(3).any(|window| window == b"Ana" || window == b"Mar"));
        assert_eq!(bytes.len(), 1 + 12 + "Ana Maria".len() + 16);
    }
}
