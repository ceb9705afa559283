//! A restore of the log and the vault to an earlier instant, under another prefix: the drill of
//! infra/docs/operations.md.

mod command;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use commands::{delivery::Command, recording};
use infra::vault::{Held, Subject};
use local::workers::{Consumer, receive_once};
use projections::{checkpoint::check, verify};
use reactors::erasure::{Eraser, forget};
use schema::{
    MailId, StreamId, Time, WaiteeId,
    message::{Channel, Kind, MessageId},
    table::{EVENTS, ROWS, Table, VAULT},
};
use serde_json::{Value, json};
use sweep::{Pace, Restore, Restored, Sweep, restore};
use waitlist_tests::{
    delivery::Post,
    stage::{Owner, Stage},
};

use crate::{
    checkpoint::checkpoint,
    place::text,
    raw::{Item, rows, scan},
    reads::feed,
};

const SEGMENTS: u32 = 3;
const PHONES: [&str; 3] = ["(415) 555-2671", "(415) 555-2672", "(415) 555-2673"];
/// An hour passes in these steps.
const STEP_MINUTES: i64 = 2;

/// An evening that goes on after the instant to which it is restored.
struct Evening<'s> {
    stage: &'s Stage,
    owner: Owner<'s>,
    list: String,
    post: Post,
    /// Told before the instant.
    ana: WaiteeId,
    /// Called before the instant, told after it.
    ben: WaiteeId,
    /// The message was being sent at the instant.
    cleo: WaiteeId,
    /// Erased after the instant.
    dan: WaiteeId,
    /// The erasure was asked for before the instant, and finished after it.
    eve: WaiteeId,
    /// The welcome mail of an account that registered before the instant; sent after it.
    late: MailId,
    /// The instant.
    until: Time,
    /// The items of events and vault at the instant.
    events: Vec<Item>,
    vault: Vec<Item>,
}

impl<'s> Evening<'s> {
    async fn pass(stage: &'s Stage) -> Self {
        let owner = stage.registered().await;
        let post = Post::new(stage);
        post.announce(&stage.commits(owner.welcome()).await).await;
        post.work_off(&post.deliver(stage)).await;
        owner.happened(schema::user::Event::EmailConfirmed {}).await;
        let late = stage.registered().await.welcome();
        let list = owner.list_with(json!({ "hold_minutes": 60, "remind_minutes": 30 })).await;
        let join = async |name: &str, more: Value| -> WaiteeId {
            let mut party = json!({ "name": name, "party_size": 2 });
            party.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            owner.post(&format!("/v1/waitlists/{list}/waitees"), party).await.id().parse().unwrap()
        };
        let ana = join("Ana", json!({ "phone": PHONES[0] })).await;
        let ben = join("Ben", json!({ "phone": PHONES[1] })).await;
        let cleo = join("Cleo", json!({ "phone": PHONES[2] })).await;
        let (dan, eve) = (join("Dan", json!({})).await, join("Eve", json!({})).await);
        for id in [ana, ben, cleo] {
            assert_eq!(owner.post(&format!("/v1/waitees/{id}/call"), json!({})).await.status, 202);
        }
        assert_eq!(owner.post(&format!("/v1/waitees/{eve}/erase"), json!({})).await.status, 202);
        post.announce(&stage.commits(ana).await).await;
        post.work_off(&post.deliver(stage)).await;
        assert_eq!(post.sent().len(), 2, "the welcome mail, and the text to Ana");
        let author = stage.commits(cleo).await[1].as_cause(2, schema::Actor::User(owner.id));
        let message = MessageId { kind: Kind::TableReady, cause: 2 };
        let start = Command::Start { message, channel: Channel::Sms };
        assert!(recording::record(&stage.backend, cleo.into(), &author, &start).await.unwrap().appended);
        stage.backend.clock.advance_millis(1_000);
        let until = stage.backend.clock.now();
        let events = scan(&stage.dynamodb, &EVENTS, &stage.prefix).await;
        let vault = scan(&stage.dynamodb, &VAULT, &stage.prefix).await;
        stage.backend.clock.advance_millis(1_000);
        Self { stage, owner, list, post, ana, ben, cleo, dan, eve, late, until, events, vault }
    }

    /// Appends the events after the instant, which the restore loses. Returns the numbers of the lost commits by stream.
    async fn go_on(&self) -> BTreeMap<String, BTreeSet<u64>> {
        let Self { stage, owner, list, post, ben, cleo, dan, eve, late, .. } = self;
        post.announce(&[stage.commits(*ben).await, stage.commits(*late).await].concat()).await;
        post.work_off(&post.deliver(stage)).await;
        assert_eq!((post.sent_about(*ben).len(), post.sent_about(*late).len()), (1, 1));
        let author = stage.commits(*cleo).await[1].as_cause(2, schema::Actor::User(owner.id));
        let message = MessageId { kind: Kind::TableReady, cause: 2 };
        let sent = Command::Sent { message, attempt: 1, channel: Channel::Sms, provider_id: "a-text".into() };
        assert!(recording::record(&stage.backend, (*cleo).into(), &author, &sent).await.unwrap().appended);
        assert_eq!(owner.post(&format!("/v1/waitees/{dan}/erase"), json!({})).await.status, 202);
        for erased in [*dan, *eve] {
            forget(&stage.another(), erased.into()).await.unwrap();
        }
        owner.join(list, "Fay").await;
        let now = scan(&stage.dynamodb, &EVENTS, &stage.prefix).await;
        let mut lost: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for item in now.iter().filter(|item| time(item) > self.until) {
            let seq = item["seq"].as_n().unwrap().parse().unwrap();
            lost.entry(text(item, "stream").to_owned()).or_default().insert(seq);
        }
        assert_eq!(lost.len(), 6, "Ben, Cleo, Dan, Eve, Fay and a mail: {lost:?}");
        lost
    }

    /// The tables of the instant under another prefix, as a restore by point-in-time recovery leaves them.
    async fn restored(&self) -> Stage {
        let restored = self.stage.beside().await;
        assert!(self.events.iter().all(|item| time(item) <= self.until));
        put_all(&restored, &EVENTS, &self.events).await;
        put_all(&restored, &VAULT, &self.vault).await;
        restored
    }

    fn subject(&self, guest: WaiteeId) -> Subject {
        Subject::Guest { account: self.owner.id, guest }
    }
}

fn time(item: &Item) -> Time {
    text(item, "at").parse().unwrap()
}

async fn put_all(stage: &Stage, table: &Table, items: &[Item]) {
    for item in items {
        let put = stage.dynamodb.put_item().table_name(table.name(&stage.prefix));
        put.set_item(Some(item.clone())).send().await.unwrap();
    }
}

/// Runs `waitlist restore` without its process.
async fn prepared(stage: &Stage, until: Time, erased_in: Option<&Stage>) -> Restored {
    infra::setup::create_rows(&stage.dynamodb, &stage.prefix).await.unwrap();
    let erased_in = erased_in.map(|before| stage.backend.log.beside(&before.prefix));
    restore(&stage.backend, &Restore { until, erased_in }, |_| ()).await.unwrap()
}

/// All rows of the live generations, by table and id.
async fn all_rows(stage: &Stage) -> BTreeMap<(String, String), BTreeMap<String, AttributeValue>> {
    let mut all = BTreeMap::new();
    for table in ROWS {
        for row in rows(&stage.dynamodb, *table, &stage.prefix).await {
            let name = table.projection.as_str().to_owned();
            all.insert((name, text(&row, "id").to_owned()), row.into_iter().collect());
        }
    }
    all
}

async fn erase_queued(stage: &Stage) {
    let eraser = Consumer::Eraser(Eraser::new(stage.another()));
    while receive_once(&stage.backend.erasures, &eraser).await > 0 {}
}

/// Lets some minutes pass, after which the functions work: tick, deliver, eraser, feed.
async fn step(stage: &Stage, post: &Post) {
    stage.backend.clock.advance_millis(STEP_MINUTES * 60_000);
    post.tick().await;
    post.work_off(&post.deliver(stage)).await;
    erase_queued(stage).await;
    feed(stage).await;
}

#[tokio::test]
async fn after_a_restore_nothing_old_is_sent_erasures_stand_and_rows_equal_the_fold() {
    let before = Stage::new().await;
    let evening = Evening::pass(&before).await;
    evening.go_on().await;
    let after = evening.restored().await;
    before.backend.clock.advance_millis(10 * 60_000);
    let restored = prepared(&after, evening.until, Some(&before)).await;
    let Restored { erased, settled, left, .. } = restored.clone();
    // The mail, of Ben and Cleo a text and a reminder each, of Ana the reminder.
    assert_eq!((erased, settled, left), (1, 6, 0), "{restored:?}");
    let again = prepared(&after, evening.until, Some(&before)).await;
    assert_eq!((again.erased, again.settled, again.rows), (0, 0, restored.rows));
    assert_eq!(verify::all(&after.backend, SEGMENTS, |_| ()).await.unwrap().bad, []);

    // Rows equal those that the feed folds from the same log.
    let fed = after.beside().await;
    put_all(&fed, &EVENTS, &scan(&after.dynamodb, &EVENTS, &after.prefix).await).await;
    infra::setup::create_rows(&fed.dynamodb, &fed.prefix).await.unwrap();
    feed(&fed).await;
    assert_eq!(all_rows(&after).await, all_rows(&fed).await);
    let mut sweep = Sweep::begin(&after.backend).await.unwrap();
    sweep.run(&after.backend, &Pace::new(None, None), |_| ()).await.unwrap();
    assert!(sweep.report.is_ok() && sweep.report.rung == 0, "{:?}", sweep.report);

    let post = Post::new(&after);
    for _ in 0..60 / STEP_MINUTES {
        step(&after, &post).await;
    }
    assert_eq!(post.sent(), [], "nothing that was asked for before the restore is sent");
    let vault = &after.another().vault;
    for erased in [evening.dan, evening.eve] {
        assert!(matches!(vault.held(evening.subject(erased)).await.unwrap(), Held::Tombstone));
    }
    assert!(vault.key(evening.subject(evening.ana)).await.unwrap().is_some());

    // Messages of later events are sent.
    let owner = after.owner_with(evening.owner.id, None);
    let party = json!({ "name": "Gil", "party_size": 2, "phone": PHONES[0] });
    let gil: WaiteeId =
        owner.post(&format!("/v1/waitlists/{}/waitees", evening.list), party).await.id().parse().unwrap();
    assert_eq!(owner.post(&format!("/v1/waitees/{gil}/call"), json!({})).await.status, 202);
    post.announce(&after.commits(gil).await).await;
    post.work_off(&post.deliver(&after)).await;
    assert_eq!(
        post.sent().iter().map(|sent| sent.stream.clone()).collect::<Vec<_>>(),
        [format!("waitee-{gil}")]
    );
}

#[tokio::test]
async fn without_the_command_old_messages_would_be_sent_again() {
    let before = Stage::new().await;
    let evening = Evening::pass(&before).await;
    evening.go_on().await;
    let after = evening.restored().await;
    infra::setup::create_rows(&after.dynamodb, &after.prefix).await.unwrap();
    feed(&after).await;
    before.backend.clock.advance_millis(10 * 60_000);
    let post = Post::new(&after);
    step(&after, &post).await;
    let sent: BTreeSet<String> = post.sent().iter().map(|sent| sent.stream.clone()).collect();
    let old = [evening.ben.into(), evening.cleo.into(), evening.late.into()];
    assert_eq!(sent, old.map(|stream: StreamId| stream.to_string()).into());
}

#[tokio::test]
async fn a_checkpoint_names_exactly_the_streams_that_a_restore_cut_and_where() {
    let before = Stage::new().await;
    let evening = Evening::pass(&before).await;
    let lost = evening.go_on().await;
    let last = checkpoint(&before).await;
    let after = evening.restored().await;
    let checked = check(&after.backend, &last, SEGMENTS, |_| ()).await.unwrap();
    let named: BTreeMap<String, u64> = checked.bad.into_iter().map(|bad| (bad.stream, bad.seq)).collect();
    let first = |(stream, seqs): (&String, &BTreeSet<u64>)| (stream.clone(), *seqs.first().unwrap());
    assert_eq!(named, lost.iter().map(first).collect());
}

/// Without the former log a lost erasure cannot be repeated; the checkpoint shows only that its stream was cut.
#[tokio::test]
async fn an_erasure_that_was_lost_with_the_log_leaves_the_guest_readable_and_its_stream_named() {
    let before = Stage::new().await;
    let evening = Evening::pass(&before).await;
    evening.go_on().await;
    let last = checkpoint(&before).await;
    let after = evening.restored().await;
    let checked = check(&after.backend, &last, SEGMENTS, |_| ()).await.unwrap();
    let dan = StreamId::from(evening.dan).to_string();
    assert!(checked.bad.iter().any(|bad| bad.stream == dan), "{checked:?}");
    let restored = prepared(&after, evening.until, None).await;
    assert_eq!((restored.erased, restored.settled), (0, 6));
    let owner = after.owner_with(evening.owner.id, None);
    let shown = owner.get(&format!("/v1/waitees/{}", evening.dan)).await;
    assert_eq!((&shown.body["name"], &shown.body["erased"]), (&json!("Dan"), &json!(false)), "{shown:?}");
    assert_eq!(owner.post(&format!("/v1/waitees/{}/erase", evening.dan), json!({})).await.status, 202);
}
