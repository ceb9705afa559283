//! Forgetting in bad company: messages that come again, erasers side by side, answers that are lost, hosts who go on all the
//! while. In the end the guest is forgotten, and nothing brings them back.

mod crash;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use infra::{
    Backend,
    queue::RECEIVE_MAX,
    vault::{Subject, VaultError},
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use reactors::{Intent, erasure::forget, intent::Errand, reactor::Reactor};
use schema::{Commit, StreamId, WaiteeId, WaitlistId, table::VAULT};
use serde_json::{Value, json};
use waitlist_tests::{
    account::PASSWORD,
    cases::cases,
    past::walk,
    stage::{Owner, Stage},
    wire::{Fate, Wire},
};

use crate::{
    oracle::Item,
    poison::unreadable,
    records::{self, Image},
};

/// A case plays a visit and its end on a real engine.
const CASES: u32 = 16;
/// How often one eraser is given the message, besides the time that everything answers.
const DELIVERIES_MAX: usize = 5;
/// How often a host and an eraser race for the same visit.
const ROUNDS: usize = 24;

/// What a host does to a visit.
const DEEDS: [(&str, &str, &str); 8] = [
    ("POST", "/call", "{}"),
    ("POST", "/confirm", "{}"),
    ("POST", "/seat", r#"{"reason": "the window table"}"#),
    ("POST", "/leave", r#"{"reason": "too long"}"#),
    ("POST", "/restore", r#"{"reason": "came back"}"#),
    ("POST", "/no-show", "{}"),
    ("PATCH", "", r#"{"name": "Benedikt", "note": "by the window"}"#),
    ("PATCH", "", r#"{"party_size": 5, "phone": "(415) 555-2671"}"#),
];

/// What happens around an erasure.
#[derive(Clone, Debug)]
struct Plan {
    before: Vec<usize>,
    racing: Vec<usize>,
    /// How often each of the erasers is given the message.
    deliveries: Vec<usize>,
    /// What becomes of the erasers' appends.
    fates: Vec<Fate>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let deed = || 0..DEEDS.len();
    let fate = prop_oneof![2 => Just(Fate::Delivered), 1 => Just(Fate::RequestLost), 1 => Just(Fate::AnswerLost), 1 => Just(Fate::Late)];
    (vec(deed(), 0..3), vec(deed(), 0..6), vec(1..=DELIVERIES_MAX, 1..3), vec(fate, 0..8))
        .prop_map(|(before, racing, deliveries, fates)| Plan { before, racing, deliveries, fates })
}

#[test]
fn whatever_happens_around_it_an_erasure_ends_in_forgetting() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (stage, wire) = runtime.block_on(async {
        let stage = Stage::new().await;
        let wire = Wire::new(&stage).await;
        (stage, wire)
    });
    let mut runner = TestRunner::new(cases(CASES));
    runner
        .run(&plan(), |plan| {
            runtime.block_on(follow(&stage, &wire, &plan));
            Ok(())
        })
        .unwrap();
}

async fn follow(stage: &Stage, wire: &Wire, plan: &Plan) {
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let visit = Visit::begin(&owner, &list).await;
    for deed in &plan.before {
        visit.host(*deed).await;
    }
    wire.expect(plan.fates.iter().cloned());
    let eraser = || Backend { log: stage.log_over(wire.client(stage, 2)), ..stage.another() };
    let erasing = plan.deliveries.iter().map(|deliveries| async {
        let backend = eraser();
        for _ in 0..*deliveries {
            // What fails comes again; the last delivery of all is below.
            let _comes_again = forget(&backend, visit.stream()).await;
        }
    });
    let hosts = plan.racing.iter().map(|deed| visit.host(*deed));
    tokio::join!(join_all(erasing), join_all(hosts), visit.erase());
    wire.flush().await;
    forget(&stage.another(), visit.stream()).await.unwrap();
    visit.judge(stage).await;
}

/// The command may have opened the key before the erasure, and ask for more of it after.
#[tokio::test(flavor = "multi_thread")]
async fn no_command_that_races_the_erasure_brings_the_key_back() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    for round in 0..ROUNDS {
        let visit = Visit::begin(&owner, &list).await;
        let hosts = (0..6).map(|deed| visit.host((round + deed) % DEEDS.len()));
        let backend = stage.another();
        let eraser = async {
            visit.erase().await;
            forget(&backend, visit.stream()).await.unwrap();
        };
        tokio::join!(join_all(hosts), eraser, visit.join_again(), visit.join_again());
        visit.judge(&stage).await;
    }
}

#[tokio::test]
async fn what_was_not_asked_for_is_not_done() {
    let stage = Stage::new().await;
    let (owner, account) = (stage.owner(), stage.account().await);
    let list = owner.list("Main room").await;
    let visit = Visit::begin(&owner, &list).await;
    let list: WaitlistId = list.parse().unwrap();
    let nobody = WaiteeId(stage.backend.clock.id(stage.backend.clock.now()));
    for stream in [visit.stream(), account.id.into(), list.into(), nobody.into()] {
        let before = stage.commits(stream).await;
        forget(&stage.backend, stream).await.unwrap();
        assert_eq!(stage.commits(stream).await, before);
    }
    let subjects = [visit.subject(), Subject::Account(account.id)];
    assert_eq!(stage.another().vault.keys(&subjects).await.unwrap().len(), 2);
    assert_eq!(stage.sign_in(&account.email, PASSWORD).await.status, 201);
}

#[tokio::test]
async fn an_erased_account_takes_its_guests_along_and_leaves_its_address_to_others() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let list = owner.list("Main room").await;
    let visit = Visit::begin(&owner, &list).await;
    let email = email(&stage, &owner).await;
    assert_eq!(register(&stage, &email).await.status, 409, "it is taken");
    assert_eq!(owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    forget(&stage.backend, owner.id.into()).await.unwrap();

    assert_eq!(kinds(&stage.commits(owner.id).await), ["user.registered", "user.erased", "user.forgotten"]);
    assert!(is_tombstone(&stage, Subject::Account(owner.id)).await);
    let vault = stage.another().vault;
    assert!(vault.keys(&[Subject::Account(owner.id), visit.subject()]).await.unwrap().is_empty());
    assert!(matches!(vault.create(visit.subject()).await, Err(VaultError::Erased { .. })));
    assert_eq!(register(&stage, &email).await.status, 201, "it is free");
    assert_eq!(stage.sign_in(&email, PASSWORD).await.status, 201);
}

/// The first eraser died right after it gave the address up, and its message came again only when somebody else had it.
#[tokio::test]
async fn an_address_that_somebody_else_has_by_now_stays_theirs() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let email = email(&stage, &owner).await;
    assert_eq!(owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    let claim = stage.backend.secrets.claim(&schema::value::Email::parse(&email).unwrap());
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

/// Whoever made the guest did not know yet that the account is gone. Nobody can read them all the same.
#[tokio::test]
async fn a_guest_who_joins_while_the_accounts_key_is_still_at_hand_somewhere_is_soon_unreadable() {
    let stage = Stage::new().await;
    let owner = stage.registered().await;
    let list = owner.list("Main room").await; // the account's key is at hand now
    assert_eq!(owner.post("/v1/me/erase", json!({ "current_password": PASSWORD })).await.status, 202);
    forget(&stage.another(), owner.id.into()).await.unwrap();
    let visit = Visit::begin(&owner, &list).await;
    assert!(
        stage.another().vault.key(visit.subject()).await.unwrap().is_none(),
        "to everybody else they are"
    );
    stage.backend.clock.advance_millis(60_000);
    assert!(stage.backend.vault.key(visit.subject()).await.unwrap().is_none());
}

/// A sealed address that does not open cannot be given up, so its account's key stays until a person has looked.
#[tokio::test]
async fn a_damaged_address_is_not_passed_over() {
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

/// Newer code may have written events that this code cannot read; it must not forget anybody less for that.
#[tokio::test]
async fn what_the_reactor_cannot_read_is_parked_and_holds_up_nobody() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    let list = owner.list("Main room").await;
    let visit = Visit::begin(&owner, &list).await;
    visit.erase().await;
    let commits = stage.commits(visit.id).await;
    let strange = |events: &str| unreadable(&commits, events);
    let [flew, beside, newer, garbage] = [
        r#"[{"type":"waitee.flew","v":1,"data":{}}]"#,
        r#"[{"type":"waitee.erased","v":1,"data":{}}]"#,
        r#"[{"type":"waitee.erased","v":2,"data":{}}]"#,
        r#"[{"type":"waitee.era"#,
    ]
    .map(strange);
    let reactor = Reactor::new(stage.backend.clone());
    let react = async |commits: &[&Commit]| {
        let records = commits
            .iter()
            .zip(1..)
            .map(|(commit, n)| records::insert(n, commit, Image::Whole, commit))
            .collect();
        records::failed(&reactor.records(records::batch(records)).await)
    };
    assert_eq!(react(&[&flew, &commits[0], &beside]).await, Vec::<String>::new());
    assert_eq!(stage.backend.erasures.receive(RECEIVE_MAX).await.unwrap().len(), 1);
    assert_eq!(
        react(&[&newer]).await,
        Vec::<String>::new(),
        "that somebody is to be forgotten, its type says"
    );
    assert_eq!(stage.backend.erasures.receive(RECEIVE_MAX).await.unwrap().len(), 1);
    assert_eq!(react(&[&commits[1], &garbage, &beside]).await, Vec::<String>::new());
    assert_eq!(stage.backend.erasures.receive(RECEIVE_MAX).await.unwrap().len(), 2);
    let parked = stage.backend.deliveries.receive(RECEIVE_MAX).await.unwrap();
    let parked: Errand = serde_json::from_str(&parked[0].body).unwrap();
    assert_eq!(parked.intent, Intent::React { stream: garbage.stream, seq: garbage.seq });
    assert!(
        parked.cause.is_some_and(|cause| cause.contains("no list of events")),
        "for the person who finds it"
    );
}

/// A party on an owner's list, who joined under an idempotency key.
struct Visit<'o> {
    owner: &'o Owner<'o>,
    list: &'o str,
    key: String,
    id: WaiteeId,
}

impl<'o> Visit<'o> {
    async fn begin(owner: &'o Owner<'o>, list: &'o str) -> Self {
        let key = data_encoding::HEXLOWER.encode(&infra::clock::random::<16>());
        let mut visit = Self { owner, list, key, id: WaiteeId(uuid::Uuid::nil()) };
        let joined = visit.join().await;
        assert_eq!(joined.0, 201, "{joined:?}");
        visit.id = joined.1["id"].as_str().unwrap().parse().unwrap();
        visit
    }

    fn stream(&self) -> StreamId {
        self.id.into()
    }

    fn subject(&self) -> Subject {
        Subject::Guest { account: self.owner.id, guest: self.id }
    }

    async fn join(&self) -> (u16, Value) {
        let body = json!({ "name": "Ana", "party_size": 2, "phone": "(415) 555-2671", "email": "ana@example.com", "note": "high chair" });
        let path = format!("/v1/waitlists/{}/waitees", self.list);
        let answer = self.owner.send("POST", &path, Some(&body), &[("Idempotency-Key", &self.key)]).await;
        (answer.status, answer.body)
    }

    /// The same request once more: answered as before, or told that the guest was forgotten.
    async fn join_again(&self) {
        let (status, body) = self.join().await;
        assert!(status == 201 || body["type"].as_str().unwrap().ends_with("/erased"), "{status}: {body}");
    }

    /// A host does something, and may lose.
    async fn host(&self, deed: usize) -> Value {
        let (method, what, body) = DEEDS[deed];
        let body: Value = serde_json::from_str(body).unwrap();
        let answer =
            self.owner.send(method, &format!("/v1/waitees/{}{what}", self.id), Some(&body), &[]).await;
        assert!(answer.status < 300 || answer.status == 409, "{answer:?}");
        answer.body
    }

    /// Asked again while others keep winning, as a host would.
    async fn erase(&self) {
        let path = format!("/v1/waitees/{}/erase", self.id);
        for _ in 0..DELIVERIES_MAX {
            let answer = self.owner.post(&path, json!({})).await;
            if answer.status == 202 {
                assert_eq!(answer.body, json!({ "status": "erasing" }));
                return;
            }
            assert!(answer.body["type"].as_str().unwrap().ends_with("/conflict"), "{answer:?}");
        }
        panic!("the erasure lost every race");
    }

    /// The guest is forgotten, once, and stays so.
    async fn judge(&self, stage: &Stage) {
        let commits = stage.commits(self.id).await;
        walk(&commits).unwrap();
        let kinds = kinds(&commits);
        let erased = kinds.iter().position(|kind| kind == "waitee.erased").unwrap();
        assert_eq!(kinds[erased..], ["waitee.erased", "waitee.forgotten"], "{kinds:?}");
        assert_eq!(commits.last().unwrap().actor.to_string(), "system:eraser");
        assert_eq!(commits.last().unwrap().causation, Some(format!("{}@{}", self.stream(), erased + 1)));
        assert!(is_tombstone(stage, self.subject()).await);
        let vault = stage.another().vault;
        assert!(vault.key(self.subject()).await.unwrap().is_none());
        assert!(matches!(vault.create(self.subject()).await, Err(VaultError::Erased { .. })));
        for deed in 0..DEEDS.len() {
            assert!(self.host(deed).await["type"].as_str().unwrap().ends_with("/erased"));
        }
        self.join_again().await;
        self.erase().await;
        assert_eq!(stage.commits(self.id).await, commits);
        assert!(is_tombstone(stage, self.subject()).await);

        let list: WaitlistId = self.list.parse().unwrap();
        stage.project(list).await;
        stage.project(self.id).await;
        let (shown, history) =
            (format!("/v1/waitees/{}", self.id), format!("/v1/waitees/{}/history", self.id));
        let (shown, history) = (self.owner.get(&shown).await, self.owner.get(&history).await);
        for (field, value) in
            [("erased", json!(true)), ("name", Value::Null), ("phone", Value::Null), ("note", Value::Null)]
        {
            assert_eq!(shown.body[field], value, "{shown:?}");
        }
        assert_eq!(history.body["verified"], json!({ "ok": true, "seq": null, "why": null }));
        assert_eq!(history.body["items"][0]["data"]["name"], Value::Null, "{history:?}");
    }
}

async fn email(stage: &Stage, owner: &Owner<'_>) -> String {
    let registered = stage.commits(owner.id).await.remove(0);
    let schema::user::Event::Registered(registered) = &registered.facts().unwrap()[0].event else {
        panic!("{registered:?}")
    };
    let key = stage.backend.vault.key(Subject::Account(owner.id)).await.unwrap().unwrap();
    schema::sealed::Personal::clear(&key.open(owner.id.into(), &registered.email).clear().unwrap()).to_owned()
}

async fn register(stage: &Stage, email: &str) -> waitlist_tests::stage::Answer {
    stage.anyone("POST", "/v1/users", json!({ "email": email, "password": PASSWORD, "name": "Ben" })).await
}

fn kinds(commits: &[Commit]) -> Vec<String> {
    commits
        .iter()
        .flat_map(|commit| {
            commit.stored().unwrap().iter().map(|event| event.kind.to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether a tombstone, and nothing but that, stands in the place of a key.
async fn is_tombstone(stage: &Stage, subject: Subject) -> bool {
    let get = stage.dynamodb.get_item().table_name(VAULT.name(&stage.prefix)).consistent_read(true);
    let item: Item =
        get.key("subject", AttributeValue::S(subject.to_string())).send().await.unwrap().item.unwrap();
    item.len() == 2 && item.get("erased") == Some(&AttributeValue::Bool(true))
}
