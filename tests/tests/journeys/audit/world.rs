//! An account whose events are written one by one, in any order of streams, with an index that lags.

use infra::log::{Appended, encode};
use schema::{
    Actor, Commit, DomainEvent, MailId, Rank, Sealed, SessionId, StreamId, Time, UserId, WaiteeId,
    WaitlistId,
    commit::{Author, Tail},
    id::{Category, Component},
    mail, reading, session,
    table::EVENTS,
    user::{self, Registered},
    value::PartySize,
    waitee::{self, Joined, JoinedBy, Party, Why},
    waitlist,
};
use serde_json::json;
use waitlist_tests::stage::Stage;

use crate::raw::Item;

/// Stands for any sealed value. No key opens it.
pub(super) const SEALED: &str = "Z3NlYWxlZA";
pub(super) const LISTS: usize = 2;
pub(super) const VISITS: usize = 5;
/// Account, lists, visits, a mail, a session, and an operator's readings.
pub(super) const STREAMS: usize = 1 + LISTS + VISITS + 3;
pub(super) const ACTORS: usize = 4;
pub(super) const REQUESTS: usize = 3;
const BEGIN: &str = "2024-02-28T23:59:00.000Z";

/// A commit that is to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Write {
    /// The time that passes before.
    pub(super) wait_ms: i64,
    pub(super) stream: usize,
    pub(super) events: usize,
    pub(super) choice: usize,
    pub(super) actor: usize,
    pub(super) request: usize,
    /// The time from the decision until the index holds the commit.
    pub(super) lag_ms: i64,
}

pub(super) struct World<'s> {
    pub(super) stage: &'s Stage,
    pub(super) owner: UserId,
    pub(super) streams: Vec<StreamId>,
    tails: Vec<Tail>,
    /// Times of the commits so far.
    pub(super) times: Vec<Time>,
    /// Commits that the index does not hold yet, with the time at which it will.
    hidden: Vec<(Time, Item)>,
    /// The last commit, as a Sync-Token.
    pub(super) token: String,
}

impl<'s> World<'s> {
    /// A new account, which is registered first.
    pub(super) async fn begin(stage: &'s Stage) -> Self {
        let clock = &stage.backend.clock;
        clock.set(BEGIN.parse().unwrap());
        let id = || clock.id(clock.now());
        let owner = UserId(id());
        let mut streams: Vec<StreamId> = vec![owner.into()];
        streams.extend((0..LISTS).map(|_| StreamId::from(WaitlistId(id()))));
        streams.extend((0..VISITS).map(|_| StreamId::from(WaiteeId(id()))));
        streams.extend([MailId(id()).into(), SessionId(id()).into(), reading::stream_of(owner)]);
        let tails = vec![Tail::EMPTY; streams.len()];
        let mut world =
            Self { stage, owner, streams, tails, times: vec![], hidden: vec![], token: String::new() };
        let registered =
            Write { wait_ms: 0, stream: 0, events: 1, choice: 0, actor: 0, request: 0, lag_ms: 0 };
        world.write(registered).await;
        world
    }

    pub(super) fn actors(&self) -> [Actor; ACTORS] {
        let guest = WaiteeId(self.streams[1 + LISTS].id);
        [
            Actor::User(self.owner),
            Actor::Guest(guest),
            Actor::System(Component::Tick),
            Actor::System(Component::Operator),
        ]
    }

    pub(super) fn request(number: usize) -> String {
        format!("0192abcd-ef00-7000-8000-{number:012}")
    }

    /// Lets the time pass, and the index catch up.
    pub(super) async fn pass(&mut self, ms: i64) {
        self.stage.backend.clock.advance_millis(ms);
        let now = self.stage.backend.clock.now();
        let (due, hidden) = std::mem::take(&mut self.hidden).into_iter().partition(|(at, _)| *at <= now);
        self.hidden = hidden;
        for (_, item) in due {
            self.put(item).await;
        }
    }

    pub(super) async fn write(&mut self, write: Write) {
        self.pass(write.wait_ms).await;
        let Write { stream, choice, .. } = write;
        let first = self.tails[stream] == Tail::EMPTY;
        match self.streams[stream].category {
            Category::User => self.append(write, |n| account(first && n == 0, choice + n)).await,
            Category::Waitlist => self.append(write, |n| list(first && n == 0, choice + n)).await,
            Category::Waitee => {
                let of = WaitlistId(self.streams[1 + stream % LISTS].id);
                self.append(write, |n| visit((first && n == 0).then_some(of), choice + n)).await;
            }
            Category::Mail => {
                let asked = mail::Asked { kind: mail::Kind::Welcome, user_seq: 1 };
                self.append(write, |_| mail::Event::Asked(asked)).await;
            }
            Category::Session => {
                let owner = self.owner;
                self.append(write, |n| session(owner, first && n == 0, choice)).await;
            }
            Category::Access => self.append(write, |_| read()).await,
            Category::Projection => {} // no account's history shows it
        }
    }

    async fn append<E: DomainEvent>(&mut self, write: Write, event: impl Fn(usize) -> E) {
        let (stream, clock) = (self.streams[write.stream], &self.stage.backend.clock);
        let author = Author {
            tenant: self.owner,
            actor: self.actors()[write.actor],
            command: None,
            correlation: Self::request(write.request),
            causation: None,
        };
        let events: Vec<E> = (0..write.events).map(event).collect();
        let tail = &mut self.tails[write.stream];
        let at = tail.now(clock.now());
        let commit = Commit::new(stream, tail, at, clock.id(at), &author, &events).unwrap();
        *tail = commit.tail();
        self.times.push(at);
        self.token = format!("{stream}@{}", commit.last);
        if write.lag_ms == 0 {
            let log = self.stage.log_over(self.stage.dynamodb.clone());
            assert_eq!(log.append(std::slice::from_ref(&commit), vec![]).await.unwrap(), Appended::Landed);
            return;
        }
        let item = encode(&commit).unwrap();
        let mut hidden = item.clone();
        let is_indexed = hidden.remove("month").is_some();
        self.put(hidden).await;
        if is_indexed {
            self.hidden.push((at.plus_millis(write.lag_ms), item));
        }
    }

    async fn put(&self, item: Item) {
        let table = EVENTS.name(&self.stage.prefix);
        self.stage.dynamodb.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }
}

fn sealed<T: schema::sealed::Personal>() -> Sealed<T> {
    Sealed::from_text(SEALED.into())
}

fn account(is_first: bool, choice: usize) -> user::Event {
    match choice % 3 {
        _ if is_first => {
            user::Event::Registered(Registered { name: sealed(), email: sealed(), password: sealed() })
        }
        0 => user::Event::Renamed { name: sealed() },
        1 => user::Event::PasswordChanged { password: sealed() },
        _ => user::Event::EmailConfirmed {},
    }
}

fn list(is_first: bool, choice: usize) -> waitlist::Event {
    let state: waitlist::State = serde_json::from_value(json!({
        "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "capacity": 200, "hold_minutes": 10,
        "language": "en", "day_starts": "04:00", "open": true, "created_at": BEGIN,
    }))
    .unwrap();
    match choice % 3 {
        _ if is_first => waitlist::Event::Created(state),
        0 => waitlist::Event::Opened(state),
        1 => waitlist::Event::Closed(state),
        _ => waitlist::Event::SettingsChanged(state),
    }
}

/// A visit begins by joining a list.
fn visit(joins: Option<WaitlistId>, choice: usize) -> waitee::Event {
    let at: Time = BEGIN.parse().unwrap();
    match (joins, choice % 4) {
        (Some(waitlist), _) => waitee::Event::Joined(Joined {
            waitlist,
            party: Party::new(sealed(), PartySize::parse(2).unwrap()),
            day: "2024-02-28".parse().unwrap(),
            rank: Rank::joining(at),
            by: JoinedBy::Host,
        }),
        (None, 0) => waitee::Event::Called { hold_until: at, remind_at: None },
        (None, 1) => waitee::Event::Seated(Why { reason: Some(sealed()) }),
        (None, 2) => waitee::Event::Removed(Why { reason: None }),
        (None, _) => waitee::Event::Erased {},
    }
}

fn session(user: UserId, is_first: bool, choice: usize) -> session::Event {
    let at: Time = BEGIN.parse().unwrap();
    let state =
        session::State { user, user_seq: 1, operator: false, number: 1, refreshed_at: at, expires_at: at };
    match choice % 4 {
        _ if is_first => session::Event::Started(state),
        0 => session::Event::Revoked(state),
        _ => session::Event::Refreshed(state),
    }
}

fn read() -> reading::Event {
    let arguments = [("order".to_owned(), "desc".to_owned())].into();
    reading::Event::HistoryRead(reading::HistoryRead {
        by: "cleo".into(),
        command: "audit".into(),
        arguments,
    })
}
