//! Alterations of single characters and bytes of a stored commit.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use infra::log::Item;
use proptest::{prelude::*, sample::Index, test_runner::TestRunner};
use waitlist_tests::{
    cases::{cases, runtime},
    stage::Stage,
};

use super::scene::Scene;

/// A case takes some 30 ms.
const CASES: u32 = 96;

/// Numbers of the visit's commits.
const COMMITS: [u64; 4] = [1, 2, 4, 5];

#[test]
fn any_altered_character_or_byte_is_found_at_its_commit() {
    let runtime = runtime();
    let stage = runtime.block_on(Stage::new());
    let scene = runtime.block_on(Scene::new(&stage));
    let alterations = (any::<Index>(), any::<Index>(), any::<Index>(), 1..=u8::MAX);
    let altered = |(commit, field, place, by): (Index, Index, Index, u8)| {
        runtime.block_on(async {
            let seq = *commit.get(&COMMITS);
            let item = scene.item(seq).await;
            if let Some(other) = alter(&item, field, place, by) {
                scene.put(other).await;
                scene.assert_broken(seq).await;
                scene.put(item).await;
            }
        });
        Ok(())
    };
    TestRunner::new(cases(CASES)).run(&alterations, altered).unwrap();
    runtime.block_on(scene.assert_intact());
}

/// Alters one character or byte of one attribute that is no key. `None` if the result is the same.
fn alter(item: &Item, field: Index, place: Index, by: u8) -> Option<Item> {
    let names: BTreeSet<&String> =
        item.keys().filter(|name| !["stream", "seq"].contains(&name.as_str())).collect();
    let name = *field.get(&names.into_iter().collect::<Vec<_>>());
    let text = |text: &String| {
        let mut characters: Vec<char> = text.chars().collect();
        characters[place.index(text.chars().count())] = char::from(b' ' + by % 95);
        characters.into_iter().collect::<String>()
    };
    let altered = match &item[name] {
        AttributeValue::S(value) => AttributeValue::S(text(value)),
        AttributeValue::N(value) => {
            AttributeValue::N(value.parse::<u64>().unwrap().wrapping_add(by.into()).to_string())
        }
        AttributeValue::B(value) => {
            let mut bytes = value.as_ref().to_vec();
            let at = place.index(bytes.len());
            bytes[at] ^= by;
            AttributeValue::B(Blob::new(bytes))
        }
        AttributeValue::Ss(values) => AttributeValue::Ss(values.iter().map(text).collect()),
        other => panic!("{name}: {other:?}"),
    };
    let mut item = item.clone();
    (item.insert(name.clone(), altered.clone()) != Some(altered)).then_some(item)
}

#[tokio::test]
async fn an_altered_attribute_is_named_by_what_is_wrong_with_it() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let item = scene.item(4).await;
    let at = item["at"].as_s().unwrap();
    let events = item["events"].as_s().unwrap();
    let tenant = scene.owner.id;
    for (name, value, why) in [
        (
            "events",
            Some(text(&events.replace("confirmed", "Confirmed"))),
            "its content does not match its hash",
        ),
        ("events", Some(text("not JSON")), "its content does not match its hash"),
        ("at", Some(text("2026-11-21T03:00:00.999Z")), "its content does not match its hash"),
        ("at", Some(text(&at.replace('T', "t"))), "is not stored as it was written"),
        ("at", Some(text("yesterday")), "cannot be read"),
        ("at", None, "cannot be read"),
        ("actor", Some(text("root")), "cannot be read"),
        (
            "types",
            Some(AttributeValue::Ss(vec!["waitee.seated".into()])),
            "its types are not those of its events",
        ),
        ("types", None, "its types are not those of its events"),
        ("month", Some(text(&format!("{tenant}#2026-12"))), "its month is not that of its account and time"),
        ("month", None, "its month is not that of its account and time"),
        ("causation", Some(text("waitee-7@1")), "its content does not match its hash"),
        ("command", Some(AttributeValue::Null(true)), "is not stored as it was written"),
    ] {
        let mut altered = item.clone();
        match value {
            Some(value) => drop(altered.insert(name.to_owned(), value)),
            None => drop(altered.remove(name)),
        }
        scene.put(altered).await;
        scene.assert_found(4, why).await;
    }
    // Newer code may add attributes.
    let mut newer = item.clone();
    newer.insert("shape".into(), text("new"));
    scene.put(newer).await;
    scene.assert_intact().await;
}

/// A hash that was recomputed does not match the next commit; text without events cannot be read.
#[tokio::test]
async fn an_altered_commit_with_a_recomputed_hash_is_found_at_the_next_commit() {
    let stage = Stage::new().await;
    let scene = Scene::new(&stage).await;
    let item = scene.item(4).await;
    let commit = stage.commits(scene.visit).await.remove(2);
    for (events, seq, why) in [
        (r#"[{"type":"waitee.left","v":1,"data":{}}]"#, 5, "does not carry the hash of the commit before it"),
        ("[]", 4, "cannot be read"),
    ] {
        let mut forged = schema::Commit { events: events.into(), ..commit.clone() };
        forged.hash = forged.compute_hash();
        let mut stored: Item = item.clone();
        stored.insert("events".into(), AttributeValue::S(forged.events.clone()));
        stored.insert("hash".into(), AttributeValue::B(Blob::new(forged.hash.0)));
        stored.insert("types".into(), AttributeValue::Ss(vec!["waitee.left".into()]));
        scene.put(stored).await;
        scene.assert_found(seq, why).await;
    }
}
