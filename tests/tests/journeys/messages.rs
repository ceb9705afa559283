//! Messages to guests and owners: which are sent, which are skipped and why, and what the board shows.

mod carrier;
mod drain;
mod erased;
mod evening;
mod fair;
mod feedback;
mod late;
mod limits;
mod scheduled;

use infra::messenger::Entry;
use schema::{StreamId, WaiteeId};
use serde_json::{Value, json};
use waitlist_tests::{
    delivery::Post,
    stage::{Answer, Owner, Stage},
};

/// Held by tests that need much memory, so that the test that measures memory runs without them.
static MEMORY: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const PHONE: &str = "(415) 555-2671";

/// The list of a confirmed account, and the senders of its messages.
struct Door<'s> {
    stage: &'s Stage,
    post: Post,
    owner: Owner<'s>,
    list: String,
}

impl<'s> Door<'s> {
    async fn open(stage: &'s Stage) -> Self {
        Self::of(stage, stage.confirmed().await).await
    }

    async fn of(stage: &'s Stage, owner: Owner<'s>) -> Self {
        let list = owner.list_with(json!({ "hold_minutes": 10, "remind_minutes": 3 })).await;
        Self { stage, post: Post::new(stage), owner, list }
    }

    async fn join(&self, body: Value) -> WaiteeId {
        let mut party = json!({ "name": "Ana", "party_size": 2 });
        party.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let joined = self.owner.post(&format!("/v1/waitlists/{}/waitees", self.list), party).await;
        assert_eq!(joined.status, 201, "{joined:?}");
        joined.id().parse().unwrap()
    }

    async fn does(&self, id: WaiteeId, what: &str) -> Answer {
        let done = self.owner.post(&format!("/v1/waitees/{id}/{what}"), json!({})).await;
        assert!(done.status < 300, "{done:?}");
        done
    }

    /// Announces a stream's commits to the reactor, and delivers what it queues.
    async fn tell(&self, stream: impl Into<StreamId>) {
        self.post.announce(&self.stage.commits(stream).await).await;
        self.post.work_off(&self.post.deliver(self.stage)).await;
    }

    /// Brings rows up to date, runs the tick, and delivers what it queues.
    async fn tick(&self, streams: &[StreamId]) {
        for stream in streams {
            self.stage.project(*stream).await;
        }
        self.post.tick().await;
        self.post.work_off(&self.post.deliver(self.stage)).await;
    }

    async fn called(&self, body: Value) -> WaiteeId {
        let id = self.join(body).await;
        self.does(id, "call").await;
        self.tell(id).await;
        id
    }

    /// Returns the party as the board shows it.
    async fn shown(&self, id: WaiteeId) -> Value {
        self.stage.project(self.list.parse::<schema::WaitlistId>().unwrap()).await;
        self.stage.project(id).await;
        let board = self.owner.get(&format!("/v1/waitlists/{}/waitees?day=2026-11-20", self.list)).await;
        let shown = board.body["items"].as_array().unwrap_or_else(|| panic!("{board:?}")).iter();
        shown
            .clone()
            .find(|shown| shown["id"] == id.to_string())
            .unwrap_or_else(|| panic!("{board:?}"))
            .clone()
    }

    /// Returns kind, channel, status and reason of the party's messages.
    async fn told(&self, id: WaiteeId) -> Vec<String> {
        let shown = self.shown(id).await;
        let word = |told: &Value, name: &str| told[name].as_str().unwrap_or("-").to_owned();
        let told = shown["notifications"].as_array().unwrap().iter();
        told.map(|told| ["kind", "channel", "status", "reason"].map(|name| word(told, name)).join(" "))
            .collect()
    }

    fn sent(&self, id: impl Into<StreamId>) -> Vec<Entry> {
        self.post.sent_about(id)
    }

    fn pass(&self, minutes: i64) {
        self.stage.backend.clock.advance_millis(minutes * 60_000);
    }
}

#[tokio::test]
async fn a_called_guest_gets_a_text_with_a_link_to_the_visit() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.called(json!({ "phone": PHONE, "email": "ana@example.com" })).await;
    let [text] = door.sent(ana).try_into().unwrap();
    assert_eq!(
        (text.channel, text.to.as_str(), text.message.as_str()),
        ("sms", "+14155552671", "table-ready-2")
    );
    assert!(text.body.starts_with("Main room: your table is ready and held until 7:10 PM."), "{}", text.body);
    let token = text.body.rsplit_once("https://waitlist.example/visit#").unwrap().1;
    let visit = stage.anyone("GET", &format!("/v1/public/visits/{token}"), Value::Null).await;
    assert_eq!((visit.status, &visit.body["state"]), (200, &json!("called")), "{visit:?}");
    assert_eq!(door.told(ana).await, ["table-ready sms sent -", "reminder - due -"]);
}

#[tokio::test]
async fn a_guest_is_written_to_in_the_language_of_the_party_or_else_of_the_list() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.called(json!({ "phone": PHONE, "language": "es" })).await;
    assert!(door.sent(ana)[0].body.contains("su mesa le espera hasta las 19:10"), "{:?}", door.sent(ana));
    let patched = door
        .owner
        .send("PATCH", &format!("/v1/waitlists/{}", door.list), Some(&json!({ "language": "es" })), &[])
        .await;
    assert_eq!(patched.status, 200);
    let ben = door.called(json!({ "email": "ben@example.com" })).await;
    assert_eq!(door.sent(ben)[0].subject.as_deref(), Some("Su mesa en Main room está lista"));
}

#[tokio::test]
async fn a_guest_without_a_number_gets_a_mail_and_without_an_address_the_message_is_skipped() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let (ana, ben) = (door.called(json!({ "email": "ana@example.com" })).await, door.called(json!({})).await);
    assert_eq!(door.told(ana).await[0], "table-ready email sent -");
    assert_eq!((door.sent(ana)[0].channel, door.sent(ana)[0].to.as_str()), ("email", "ana@example.com"));
    assert_eq!(door.told(ben).await[0], "table-ready - skipped no-address");
    assert!(door.sent(ben).is_empty());
}

#[tokio::test]
async fn a_late_or_needless_message_is_skipped_with_its_reason() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ids = [
        door.join(json!({ "phone": PHONE })).await,
        door.join(json!({ "phone": PHONE })).await,
        door.join(json!({ "phone": PHONE })).await,
    ];
    let [late, seated, twice] = ids;
    for id in ids {
        door.does(id, "call").await;
    }
    door.does(seated, "seat").await;
    door.does(twice, "call").await;
    door.tell(twice).await;
    assert_eq!(
        door.told(twice).await[..2],
        ["table-ready - skipped needless", "table-ready sms sent -"],
        "a second call replaces the first message"
    );
    door.pass(31);
    for id in [late, seated] {
        door.tell(id).await;
        assert!(door.sent(id).is_empty());
    }
    assert_eq!(door.told(late).await, ["table-ready - skipped late", "reminder - skipped late"]);
    assert_eq!(door.told(seated).await, ["table-ready - skipped needless"]);
}

#[tokio::test]
async fn a_replayed_stream_sends_nothing() {
    let stage = Stage::new().await;
    let door = Door::of(&stage, stage.registered().await).await;
    let (ana, ben) = (
        door.called(json!({ "email": "ana@example.com" })).await,
        door.called(json!({ "email": "ben@example.com" })).await,
    );
    door.tell(door.owner.welcome()).await;
    door.does(ben, "seat").await;
    let sent = door.post.sent().len();
    let streams: [StreamId; 3] = [door.owner.welcome().into(), ana.into(), ben.into()];
    let mut logs = Vec::new();
    for stream in streams {
        logs.push(stage.commits(stream).await);
    }
    for minutes in [0, 5, 60 * 48] {
        door.pass(minutes);
        for commits in &logs {
            door.post.announce(commits).await;
        }
        let before = door.post.sent().len();
        door.post.work_off(&door.post.deliver(&stage)).await;
        assert_eq!(door.post.sent().len(), before);
    }
    assert_eq!((door.post.sent().len(), sent), (3, 3), "one welcome mail and two messages to guests");
}

#[tokio::test]
async fn message_events_do_not_make_a_hosts_if_match_stale() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let ana = door.join(json!({ "phone": PHONE })).await;
    let called = door.does(ana, "call").await;
    let seen = called.header("etag").to_owned();
    door.tell(ana).await;
    assert!(stage.commits(ana).await.len() > 3, "lease and outcome were appended");
    let path = format!("/v1/waitees/{ana}/seat");
    let seated = door.owner.send("POST", &path, Some(&json!({})), &[("If-Match", &seen)]).await;
    assert_eq!(seated.status, 200, "{seated:?}");
    let stale = door
        .owner
        .send("POST", &format!("/v1/waitees/{ana}/restore"), Some(&json!({})), &[("If-Match", &seen)])
        .await;
    assert_eq!(stale.status, 412, "the other command does make it stale: {stale:?}");
}
