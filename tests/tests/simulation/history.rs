//! Generated histories of streams, with events in an order that commands can produce.

mod visits;

use infra::{Backend, log::Appended};
use proptest::{collection::vec, prelude::*};
use schema::{
    Actor, Commit, DomainEvent, Sealed, StreamId, Time, UserId,
    commit::{Author, Tail},
    id::Category,
    mail::{self, Event as MailEvent},
    message::{self, Bounce, Bounced, Channel, Failed, MessageId, Sent, Skip, Skipped, Started},
    user::{Event as UserEvent, Registered},
    value::QuoteMinutes,
    waitlist::{self, Event as ListEvent, Settings},
};

use self::visits::visit_events;

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
    let choice = |index: usize, place: usize| u8::try_from((index * 7 + place * 5) % 256).unwrap();
    let step = |index: usize, place: usize| Step {
        choice: choice(index, place),
        variant: choice(place, index),
        at_once: place % 3 == 2,
    };
    (0..count)
        .map(|index| History {
            category: match index % 4 {
                0 => Category::Waitlist,
                2 if index % 8 == 2 => Category::User,
                2 if index % 16 == 6 => Category::Mail,
                _ => Category::Waitee,
            },
            steps: (0..index % STEPS_MAX).map(|place| step(index, place)).collect(),
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
            Category::Waitlist => chain(backend, stream, &self.grouped(list_events(&self.steps, start))),
            Category::Waitee => chain(backend, stream, &self.grouped(visit_events(&self.steps, start))),
            Category::User => chain(backend, stream, &self.grouped(account_events(&self.steps))),
            Category::Mail => chain(backend, stream, &self.grouped(mail_events(&self.steps, start))),
            Category::Session | Category::Access | Category::Projection => Vec::new(),
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
fn list_events(steps: &[Step], start: Time) -> Vec<ListEvent> {
    let mut list = waitlist::State { settings: settings(0), open: true, created_at: start };
    let mut events = vec![ListEvent::Created(list.clone())];
    for step in steps {
        let event: fn(waitlist::State) -> ListEvent = match step.choice % 8 {
            0..=3 => {
                list.settings = settings(step.variant);
                ListEvent::SettingsChanged
            }
            4 | 5 => {
                list.open = false;
                ListEvent::Closed
            }
            6 => {
                list.open = true;
                ListEvent::Opened
            }
            _ => {
                events.push(ListEvent::Deleted(list));
                return events;
            }
        };
        events.push(event(list.clone()));
    }
    events
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
fn account_events(steps: &[Step]) -> Vec<UserEvent> {
    let password = || sealed("password", 0);
    let mut events = vec![UserEvent::Registered(Registered {
        name: sealed("name", 0),
        email: sealed("email", 0),
        password: password(),
    })];
    for step in steps {
        events.push(match step.choice % 10 {
            0 | 1 => UserEvent::Renamed { name: sealed("name", step.variant) },
            2 => UserEvent::EmailConfirmed {},
            3 => UserEvent::TextsCapped { texts_per_day: step.variant.into() },
            4..=6 => UserEvent::PasswordChanged { password: password() },
            7 => UserEvent::OperatorGranted {},
            8 => UserEvent::OperatorRevoked {},
            _ => {
                events.push(UserEvent::Erased {});
                if step.variant.is_multiple_of(2) {
                    events.push(UserEvent::Forgotten {});
                }
                return events;
            }
        });
    }
    events
}

/// Asks for a mail and tries to send it repeatedly, with any outcomes.
fn mail_events(steps: &[Step], start: Time) -> Vec<MailEvent> {
    let kinds = [mail::Kind::Welcome, mail::Kind::Confirmation, mail::Kind::PasswordReset];
    let kind = kinds[steps.len() % kinds.len()];
    let message = MessageId { kind: kind.into(), cause: 1 };
    let mut events = vec![MailEvent::Asked(mail::Asked { kind, user_seq: 1 })];
    for (step, attempt) in steps.iter().zip(1_u32..) {
        let attempt = attempt.div_ceil(2);
        let outcome = match step.choice % 5 {
            _ if events.len() % 2 == 1 => message::Event::Started(Started {
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
        events.push(MailEvent::Message(outcome));
    }
    events
}

/// Returns any text as a sealed value, because the feed never opens one.
fn sealed<T: schema::sealed::Personal>(field: &str, variant: u8) -> Sealed<T> {
    Sealed::from_text(format!("{field}-{variant}"))
}
