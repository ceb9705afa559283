//! Generated histories of streams, with events in an order that commands can produce.

use infra::{Backend, log::Appended};
use proptest::{collection::vec, prelude::*};
use schema::{
    Actor, Commit, DomainEvent, Rank, Sealed, StreamId, Time, UserId, WaitlistId,
    commit::{Author, Tail},
    id::Category,
    mail::{self, Event as Mailed},
    message::{self, Bounce, Bounced, Channel, Failed, MessageId, Sent, Skip, Skipped, Started},
    user::{Event as Lived, Registered},
    value::{PartySize, QuoteMinutes},
    waitee::{Details, Event as Visited, Joined, JoinedBy, Party, State, Why},
    waitlist::{self, Event as Ran, Settings},
};

/// The most events after the first.
const STEPS_MAX: usize = 8;

#[derive(Clone, Debug)]
pub(crate) struct History {
    category: Category,
    steps: Vec<Step>,
}

/// Selects one of the events that the state allows.
#[derive(Clone, Copy, Debug)]
struct Step {
    choice: u8,
    variant: u8,
    /// Whether the event is in the same commit as the one before.
    at_once: bool,
}

pub(crate) fn history() -> impl Strategy<Value = History> {
    let category = prop_oneof![1 => Just(Category::Waitlist), 1 => Just(Category::User), 1 => Just(Category::Mail), 3 => Just(Category::Waitee)];
    (category, vec(step(), 0..STEPS_MAX)).prop_map(|(category, steps)| History { category, steps })
}

fn step() -> impl Strategy<Value = Step> {
    (any::<u8>(), any::<u8>(), prop::bool::weighted(0.3)).prop_map(|(choice, variant, at_once)| Step {
        choice,
        variant,
        at_once,
    })
}

/// Returns the same histories in each call, for tests that need load of any content.
pub(crate) fn some(count: usize) -> Vec<History> {
    let choice = |life: usize, place: usize| u8::try_from((life * 7 + place * 5) % 256).unwrap();
    let step = |life: usize, place: usize| Step {
        choice: choice(life, place),
        variant: choice(place, life),
        at_once: place % 3 == 2,
    };
    (0..count)
        .map(|life| History {
            category: match life % 4 {
                0 => Category::Waitlist,
                2 if life % 8 == 2 => Category::User,
                2 if life % 16 == 6 => Category::Mail,
                _ => Category::Waitee,
            },
            steps: (0..life % STEPS_MAX).map(|place| step(life, place)).collect(),
        })
        .collect()
}

/// Returns a visit of this many commits of one event each.
pub(crate) fn visit(commits: usize) -> History {
    let called_again = Step { choice: 0, variant: 10, at_once: false };
    History { category: Category::Waitee, steps: vec![called_again; commits - 1] }
}

impl History {
    /// Builds the commits of the history in a new stream, without appending them.
    pub(crate) fn commits(&self, backend: &Backend) -> Vec<Commit> {
        let id = backend.clock.id(backend.clock.now());
        let stream = StreamId { category: self.category, id };
        let start = backend.clock.now();
        match self.category {
            Category::Waitlist => chain(backend, stream, &self.grouped(list_life(&self.steps, start))),
            Category::Waitee => chain(backend, stream, &self.grouped(visit_life(&self.steps, start))),
            Category::User => chain(backend, stream, &self.grouped(account_life(&self.steps))),
            Category::Mail => chain(backend, stream, &self.grouped(mail_life(&self.steps, start))),
            Category::Session => Vec::new(),
        }
    }

    /// Groups the events by commit.
    fn grouped<E>(&self, events: Vec<E>) -> Vec<Vec<E>> {
        let mut groups: Vec<Vec<E>> = Vec::new();
        let at_once = std::iter::once(false).chain(self.steps.iter().map(|step| step.at_once));
        for (event, at_once) in events.into_iter().zip(at_once) {
            match groups.last_mut() {
                Some(group) if at_once => group.push(event),
                _ => groups.push(vec![event]),
            }
        }
        groups
    }
}

/// Appends a commit, which must land.
pub(crate) async fn append(backend: &Backend, commit: &Commit) {
    assert_eq!(
        backend.log.append(std::slice::from_ref(commit), Vec::new()).await.unwrap(),
        Appended::Landed,
        "{commit:?}"
    );
}

fn chain<E: DomainEvent>(backend: &Backend, stream: StreamId, groups: &[Vec<E>]) -> Vec<Commit> {
    let tenant = UserId(backend.clock.id(backend.clock.now()));
    let author = Author {
        tenant,
        actor: Actor::User(tenant),
        command: None,
        correlation: "simulation".into(),
        causation: None,
    };
    let mut tail = Tail::EMPTY;
    groups
        .iter()
        .map(|events| {
            let at = tail.now(backend.clock.now());
            let commit = Commit::new(stream, &tail, at, backend.clock.id(at), &author, events).unwrap();
            tail = commit.tail();
            commit
        })
        .collect()
}

/// Creates, changes, closes, opens and deletes a list. No event follows a deletion.
fn list_life(steps: &[Step], start: Time) -> Vec<Ran> {
    let mut list = waitlist::State { settings: settings(0), open: true, created_at: start };
    let mut life = vec![Ran::Created(list.clone())];
    for step in steps {
        let event: fn(waitlist::State) -> Ran = match step.choice % 8 {
            0..=3 => {
                list.settings = settings(step.variant);
                Ran::SettingsChanged
            }
            4 | 5 => {
                list.open = false;
                Ran::Closed
            }
            6 => {
                list.open = true;
                Ran::Opened
            }
            _ => {
                life.push(Ran::Deleted(list));
                return life;
            }
        };
        life.push(event(list.clone()));
    }
    life
}

fn settings(variant: u8) -> Settings {
    let quote = QuoteMinutes::parse(i64::from(variant)).unwrap();
    Settings {
        name: format!("Room {variant}").parse().unwrap(),
        time_zone: "America/Los_Angeles".parse().unwrap(),
        region: "US".parse().unwrap(),
        capacity: schema::value::Capacity::parse(1 + i64::from(variant)).unwrap(),
        hold_minutes: schema::value::HoldMinutes::parse(10).unwrap(),
        remind_minutes: None,
        quote_minutes: variant.is_multiple_of(2).then_some(quote),
        language: if variant.is_multiple_of(3) { "es" } else { "en" }.parse().unwrap(),
        day_starts: "04:00".parse().unwrap(),
    }
}

/// Registers and changes an account. After its erasure only `forgotten` may follow.
fn account_life(steps: &[Step]) -> Vec<Lived> {
    let password = || sealed("password", 0);
    let mut life = vec![Lived::Registered(Registered {
        name: sealed("name", 0),
        email: sealed("email", 0),
        password: password(),
    })];
    for step in steps {
        life.push(match step.choice % 10 {
            0 | 1 => Lived::Renamed { name: sealed("name", step.variant) },
            2 => Lived::EmailConfirmed {},
            3 => Lived::TextsCapped { texts_per_day: step.variant.into() },
            4..=6 => Lived::PasswordChanged { password: password() },
            7 => Lived::OperatorGranted {},
            8 => Lived::OperatorRevoked {},
            _ => {
                life.push(Lived::Erased {});
                if step.variant.is_multiple_of(2) {
                    life.push(Lived::Forgotten {});
                }
                return life;
            }
        });
    }
    life
}

/// Asks for a mail and tries to send it repeatedly, with any outcomes.
fn mail_life(steps: &[Step], start: Time) -> Vec<Mailed> {
    let kinds = [mail::Kind::Welcome, mail::Kind::Confirmation, mail::Kind::PasswordReset];
    let kind = kinds[steps.len() % kinds.len()];
    let message = MessageId { kind: kind.into(), cause: 1 };
    let mut life = vec![Mailed::Asked(mail::Asked { kind, user_seq: 1 })];
    for (step, attempt) in steps.iter().zip(1_u32..) {
        let attempt = attempt.div_ceil(2);
        let outcome = match step.choice % 5 {
            _ if life.len() % 2 == 1 => message::Event::Started(Started {
                message,
                attempt,
                channel: Channel::Email,
                until: start.plus_minutes(attempt),
            }),
            0 | 1 => message::Event::Failed(Failed {
                message,
                attempt,
                code: "Throttled".into(),
                again_at: step.variant.is_multiple_of(2).then(|| start.plus_minutes(attempt + 1)),
            }),
            2 => message::Event::Skipped(Skipped { message, attempt: Some(attempt), why: Skip::Late }),
            3 => message::Event::Bounced(Bounced { message, why: Bounce::Permanent }),
            _ => message::Event::Sent(Sent {
                message,
                attempt,
                channel: Channel::Email,
                provider_id: format!("one-{}", step.variant),
            }),
        };
        life.push(Mailed::Message(outcome));
    }
    life
}

/// Joins a party and changes its state as `commands` allows. Only `forgotten` follows an erasure.
fn visit_life(steps: &[Step], start: Time) -> Vec<Visited> {
    let mut life = vec![Visited::Joined(joined(start))];
    let mut state = State::Waiting;
    for step in steps {
        if step.choice % 32 == 31 {
            let off_the_board = state.is_active().then(|| Visited::Removed(Why::default()));
            life.extend(off_the_board.into_iter().chain([Visited::Erased {}, Visited::Forgotten {}]));
            return life;
        }
        let (event, next) = visit_step(state, *step, start);
        life.push(event);
        state = next;
    }
    life
}

fn joined(start: Time) -> Joined {
    Joined {
        waitlist: WaitlistId(uuid::Uuid::from_u128(start.millis().unsigned_abs().into())),
        party: Party {
            phone: Some(sealed("phone", 0)),
            quoted_minutes: Some(QuoteMinutes::parse(20).unwrap()),
            ..Party::new(sealed("name", 0), PartySize::parse(2).unwrap())
        },
        day: "2026-11-20".parse().unwrap(),
        rank: Rank::joining(start),
        by: JoinedBy::Host,
    }
}

fn visit_step(state: State, step: Step, start: Time) -> (Visited, State) {
    let Step { choice, variant, .. } = step;
    let why = Why { reason: variant.is_multiple_of(4).then(|| sealed("reason", variant)) };
    let changed = (Visited::DetailsChanged(details(variant)), state);
    if !state.is_active() {
        return if choice.is_multiple_of(3) { changed } else { (Visited::Restored(why), State::Waiting) };
    }
    let called =
        (Visited::Called { hold_until: start.plus_minutes(variant.into()), remind_at: None }, State::Called);
    let confirmed = (Visited::Confirmed(why.clone()), State::Confirmed);
    let moved =
        Visited::Moved { rank: Rank::joining(start.plus_millis(variant.into())), reason: why.reason.clone() };
    match choice % 10 {
        0 | 1 => match state {
            State::Waiting | State::Called => called,
            _ => (Visited::Restored(why), State::Waiting),
        },
        2 | 3 => match state {
            State::Called => confirmed,
            _ => changed,
        },
        4 => changed,
        5 => (moved, state),
        6 => (Visited::Seated(why), State::Seated),
        7 => (Visited::Left(why), State::Left),
        8 => (Visited::Removed(why), State::Removed),
        _ => (Visited::NoShow(why), State::NoShow),
    }
}

/// Each field changes, is cleared, or stays.
fn details(variant: u8) -> Details {
    let has = |bit: u8| variant & (1 << bit) != 0;
    Details {
        name: has(0).then(|| sealed("name", variant)),
        party_size: has(1).then(|| PartySize::parse(1 + i64::from(variant % 20)).unwrap()),
        phone: has(2).then(|| has(3).then(|| sealed("phone", variant))),
        email: has(3).then(|| has(4).then(|| sealed("email", variant))),
        note: has(4).then(|| has(5).then(|| sealed("note", variant))),
        quoted_minutes: has(5).then(|| has(6).then(|| QuoteMinutes::parse(variant.into()).unwrap())),
        language: has(6).then(|| has(7).then(|| "es".parse().unwrap())),
    }
}

/// Returns any text as a sealed value, because the feed never opens one.
fn sealed<T: schema::sealed::Personal>(field: &str, variant: u8) -> Sealed<T> {
    Sealed::from_text(format!("{field}-{variant}"))
}
