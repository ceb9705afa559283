//! The hash chain: every alteration or removal of a commit is found at its place.

use proptest::{prelude::*, sample::Index};
use schema::{
    Actor, Commit, Time, UserId,
    commit::{Bytes, Hash, Tag},
};
use serde_json::json;
use uuid::Uuid;
use waitlist_tests::{
    past::{TENANT, author, called, fresh_stream, next, sending, visit, walk},
    stage::Stage,
};

/// Alters one stored field.
type Alter = fn(&mut Commit, u64);

/// All hashed fields. Readers do not rely on the derived ones, `types` and `month`.
const FIELDS: [(&str, Alter); 14] = [
    ("stream", |commit, n| commit.stream.id = uuid(commit.stream.id, n)),
    ("seq", |commit, n| commit.seq = commit.seq.wrapping_add(n)),
    ("last", |commit, n| commit.last = commit.last.wrapping_add(n)),
    ("commit", |commit, n| commit.commit = uuid(commit.commit, n)),
    ("at", |commit, n| commit.at = Time::from_millis(commit.at.millis() + (n % 100_000) as i64 + 1)),
    ("actor", |commit, n| commit.actor = Actor::User(UserId(uuid(TENANT.0, n)))),
    ("tenant", |commit, n| commit.tenant = UserId(uuid(commit.tenant.0, n))),
    ("command", |commit, n| commit.command = tag(commit.command, n)),
    ("request", |commit, n| commit.request = tag(commit.request, n)),
    ("correlation", |commit, n| text(&mut commit.correlation, n)),
    ("causation", |commit, n| text(commit.causation.get_or_insert_default(), n)),
    ("events", |commit, n| text(&mut commit.events, n)),
    ("prev", |commit, n| commit.prev = hash(commit.prev, n)),
    ("hash", |commit, n| commit.hash = hash(commit.hash, n)),
];

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn an_altered_field_is_found_at_its_commit(length in 1_usize..8, place: Index, field: Index, n in 1..u64::MAX) {
        let (mut commits, place) = (stream(length), place.index(length));
        let (name, alter) = FIELDS[field.index(FIELDS.len())];
        prop_assert!(walk(&commits).is_ok());
        alter(&mut commits[place], n);
        prop_assert_eq!(walk(&commits), Err(place), "{}", name);
    }

    #[test]
    fn an_altered_commit_with_a_recomputed_hash_is_found_at_the_next_commit(length in 2_usize..8, place: Index, field: Index, n in 1..u64::MAX) {
        let (mut commits, place) = (stream(length), place.index(length - 1));
        let (name, alter) = FIELDS[field.index(FIELDS.len())];
        alter(&mut commits[place], n);
        commits[place].hash = commits[place].compute_hash();
        let found = walk(&commits);
        // Recomputing the hash repairs an altered hash; all other alterations are found at this commit or the
        // next.
        prop_assert!(if name == "hash" { found.is_ok() } else { found == Err(place) || found == Err(place + 1) }, "{name}: {found:?}");
    }

    #[test]
    fn a_removed_commit_is_found_at_the_next_commit(length in 2_usize..8, place: Index) {
        let (mut commits, place) = (stream(length), place.index(length - 1));
        commits.remove(place);
        prop_assert_eq!(walk(&commits), Err(place));
    }
}

#[tokio::test]
async fn history_names_the_first_altered_event() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let ana = owner.join(&list, "Ana").await;
    owner.post(&format!("/v1/waitees/{ana}/call"), json!({})).await;
    owner.post(&format!("/v1/waitees/{ana}/seat"), json!({})).await;
    let path = format!("/v1/waitees/{ana}/history");
    assert_eq!(owner.get(&path).await.body["verified"], json!({ "ok": true, "seq": null, "why": null }));

    stage
        .overwrite(format!("waitee-{ana}").parse::<schema::StreamId>().unwrap(), 2, "correlation", "altered")
        .await;
    let history = owner.get(&path).await;
    assert_eq!(history.body["verified"]["ok"], false);
    assert_eq!(history.body["verified"]["seq"], 2);
    assert_eq!(history.body["items"].as_array().unwrap().len(), 3, "altered events are still shown");
}

/// Builds commits with all fields set, some of several events.
fn stream(length: usize) -> Vec<Commit> {
    let mut commits = visit(fresh_stream(), 1);
    for n in 1..length {
        let mut author = sending(n);
        author.causation = Some("waitee-7@1".into());
        commits.push(next(commits[0].stream, &commits[n - 1].tail(), &author, &vec![called(); n % 3 + 1]));
    }
    assert_eq!(commits[0].correlation.len(), author().correlation.len());
    commits
}

fn uuid(of: Uuid, n: u64) -> Uuid {
    Uuid::from_u128(of.as_u128() ^ u128::from(n))
}

/// Returns another tag, or removes it.
fn tag(of: Option<Tag>, n: u64) -> Option<Tag> {
    match of {
        Some(_) if n.is_multiple_of(2) => None,
        _ => Some(Tag::of(&[&n.to_be_bytes()])),
    }
}

fn text(of: &mut String, n: u64) {
    let place = (n % (of.len() as u64 + 1)) as usize;
    of.insert(of.floor_char_boundary(place), 'x');
}

fn hash(of: Hash, n: u64) -> Hash {
    let mut bytes = of.0;
    bytes.iter_mut().zip(n.to_be_bytes()).for_each(|(byte, flip)| *byte ^= flip);
    Bytes(bytes)
}
