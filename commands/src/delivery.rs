//! What is recorded about a message, whomever it concerns: who sends it, and what came of it.

use infra::{Backend, Failure, log::Outcome};
use schema::{
    Slug, StreamId, Time,
    agenda::Agenda,
    commit::Author,
    id::Category,
    message::{
        Bounce, Bounced, Channel, Entry, Event, Failed, LEASE_MS, MessageId, Sent, Skip, Skipped, Standing,
        Started,
    },
};

use crate::{
    user::{self, User},
    waitee::{self, Waitee},
};

/// Records something about a message in the stream of whom it concerns: 1 write unit and 1 for the audit index, and reading the
/// stream. The message as it stands then; and whether that is so by this very call.
///
/// # Errors
/// As [`infra::Log::transact`].
pub async fn record(
    backend: &Backend,
    stream: StreamId,
    author: &Author,
    command: &Command,
) -> Result<(Option<Entry>, bool), Failure> {
    append(backend, stream, author, command, None).await
}

/// The same, unless anything but messages happened in the stream behind event `known`: then nothing is recorded. Whom to tell, how,
/// and whether, may be another matter by now.
///
/// # Errors
/// As [`infra::Log::transact`].
pub async fn record_if(
    backend: &Backend,
    stream: StreamId,
    author: &Author,
    command: &Command,
    known: u64,
) -> Result<(Option<Entry>, bool), Failure> {
    match append(backend, stream, author, command, Some(known)).await {
        Err(Failure::Refused(problem)) if problem.slug == Slug::PreconditionFailed => Ok((None, false)),
        recorded => recorded,
    }
}

async fn append(
    backend: &Backend,
    stream: StreamId,
    author: &Author,
    command: &Command,
    expect: Option<u64>,
) -> Result<(Option<Entry>, bool), Failure> {
    let entry =
        |agenda: Option<&Agenda>| agenda.and_then(|agenda| agenda.messages.entry(command.message())).cloned();
    match stream.category {
        Category::User => {
            let decide = |user: User, now| async move { Ok(user::deliver(&user, command, now)) };
            let Outcome { state, appended, .. } =
                backend.log.transact(stream, author, expect, decide).await?;
            Ok((entry(state.agenda()), appended))
        }
        Category::Waitee => {
            let decide = |waitee: Waitee, now| async move { Ok(waitee::deliver(&waitee, command, now)) };
            let Outcome { state, appended, .. } =
                backend.log.transact(stream, author, expect, decide).await?;
            Ok((entry(state.0.as_ref().map(|visit| &visit.agenda)), appended))
        }
        Category::Session | Category::Waitlist => {
            Err(Failure::broken(format!("record a message of {stream}"), "it has none"))
        }
    }
}

/// What is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Have it to oneself for a while, to send it.
    Start { message: MessageId, channel: Channel },
    /// It was taken.
    Sent { message: MessageId, attempt: u32, channel: Channel, provider_id: String },
    /// It was turned away, for good or for now.
    Fail { message: MessageId, attempt: u32, code: String, for_now: bool },
    /// It is not sent. With `attempt` by who has it to themselves; without, only if nobody has.
    Skip { message: MessageId, attempt: Option<u32>, reason: Skip },
    /// It came back.
    Bounce { message: MessageId, reason: Bounce },
}

impl Command {
    /// Which message it is about.
    #[must_use]
    pub fn message(&self) -> MessageId {
        match self {
            Self::Start { message, .. }
            | Self::Sent { message, .. }
            | Self::Fail { message, .. }
            | Self::Skip { message, .. }
            | Self::Bounce { message, .. } => *message,
        }
    }
}

/// What follows. A message is started only while it is due and `wanted`: of several who want to send it one may.
pub(crate) fn decide(
    agenda: &Agenda,
    command: &Command,
    wanted: impl Fn(MessageId) -> bool,
    now: Time,
) -> Option<Event> {
    let entry = |message: &MessageId| agenda.messages.entry(*message);
    match command {
        Command::Start { message, channel } => {
            let entry = entry(message).filter(|entry| is_due(agenda, entry, now) && wanted(*message))?;
            let until = now.plus_millis(LEASE_MS);
            Some(Event::Started(Started {
                message: *message,
                attempt: entry.attempt + 1,
                channel: *channel,
                until,
            }))
        }
        Command::Sent { message, attempt, channel, provider_id } => {
            entry(message).filter(|entry| entry.standing != Standing::Sent { by: *attempt })?;
            Some(Event::Sent(Sent {
                message: *message,
                attempt: *attempt,
                channel: *channel,
                provider_id: provider_id.clone(),
            }))
        }
        Command::Fail { message, attempt, code, for_now } => {
            entry(message).filter(|entry| is_had_by(entry, *attempt))?;
            let again_at = if *for_now { message.kind.again_at(*attempt, now) } else { None };
            Some(Event::Failed(Failed { message: *message, attempt: *attempt, code: code.clone(), again_at }))
        }
        Command::Skip { message, attempt: Some(attempt), reason } => {
            entry(message).filter(|entry| is_had_by(entry, *attempt))?;
            Some(Event::Skipped(Skipped { message: *message, attempt: Some(*attempt), why: *reason }))
        }
        Command::Skip { message, attempt: None, reason } => {
            entry(message).filter(|entry| is_due(agenda, entry, now))?;
            Some(Event::Skipped(Skipped { message: *message, attempt: None, why: *reason }))
        }
        Command::Bounce { message, reason } => {
            entry(message)
                .filter(|entry| entry.attempt > 0 && !matches!(entry.standing, Standing::Bounced { .. }))?;
            Some(Event::Bounced(Bounced { message: *message, why: *reason }))
        }
    }
}

/// Whether something may be begun with it now. About whoever is to be forgotten, nothing is begun any more.
fn is_due(agenda: &Agenda, entry: &Entry, now: Time) -> bool {
    agenda.erased_at.is_none() && entry.due_at().is_some_and(|at| at <= now)
}

/// Whether this attempt is the one that has the message to itself; also past its time, while nobody else has begun.
fn is_had_by(entry: &Entry, attempt: u32) -> bool {
    entry.attempt == attempt && matches!(entry.standing, Standing::Started { .. })
}

#[cfg(test)]
mod tests {
    use schema::waitee::Event as Visited;

    use super::*;
    use crate::spec::{NOW_MS, given, joined_at};

    const READY: MessageId = MessageId { kind: schema::message::Kind::TableReady, cause: 2 };
    const REMINDER: MessageId = MessageId { kind: schema::message::Kind::Reminder, cause: 2 };

    fn called() -> Vec<Visited> {
        let hold_until = Time::from_millis(NOW_MS).plus_minutes(10);
        vec![
            joined_at(0),
            Visited::Called { hold_until, remind_at: Some(Time::from_millis(NOW_MS).plus_minutes(7)) },
        ]
    }

    fn when(more: &[Event], command: &Command) -> Vec<Visited> {
        let past = [called(), more.iter().cloned().map(Visited::Notification).collect()].concat();
        given::<Waitee>(past).when(|waitee, now| waitee::deliver(waitee, command, now))
    }

    fn start(message: MessageId) -> Command {
        Command::Start { message, channel: Channel::Sms }
    }

    fn started(attempt: u32, until: i64) -> Event {
        Event::Started(Started {
            message: READY,
            attempt,
            channel: Channel::Sms,
            until: Time::from_millis(NOW_MS + until),
        })
    }

    fn sent(attempt: u32) -> Command {
        Command::Sent { message: READY, attempt, channel: Channel::Sms, provider_id: "one".into() }
    }

    fn has_started(events: &[Visited], number: u32) -> bool {
        matches!(events, [Visited::Notification(Event::Started(started))] if started.attempt == number && started.until.millis() == NOW_MS + LEASE_MS)
    }

    #[test]
    fn of_all_who_want_to_send_a_message_one_may() {
        assert!(has_started(&when(&[], &start(READY)), 1));
        assert_eq!(when(&[started(1, 1)], &start(READY)), [], "somebody has it");
        assert!(
            has_started(&when(&[started(1, 0)], &start(READY)), 2),
            "nobody knows whether that one sent it"
        );
    }

    #[test]
    fn a_reminder_is_not_due_before_its_time_and_not_sent_again() {
        assert_eq!(when(&[], &start(REMINDER)), []);
        let unknown = Event::Started(Started {
            message: REMINDER,
            attempt: 1,
            channel: Channel::Sms,
            until: Time::from_millis(NOW_MS),
        });
        assert_eq!(when(&[unknown], &start(REMINDER)), []);
    }

    #[test]
    fn nobody_is_told_who_has_answered_or_gone() {
        for end in [
            Visited::Confirmed(Default::default()),
            Visited::Seated(Default::default()),
            Visited::NoShow(Default::default()),
        ] {
            let past = [called(), vec![end]].concat();
            assert_eq!(
                given::<Waitee>(past).when(|waitee, now| waitee::deliver(waitee, &start(READY), now)),
                []
            );
        }
    }

    #[test]
    fn nothing_is_begun_about_who_is_erased() {
        let erased = [called(), vec![Visited::Erased {}]].concat();
        assert_eq!(
            given::<Waitee>(erased).when(|waitee, now| waitee::deliver(waitee, &start(READY), now)),
            []
        );
    }

    #[test]
    fn an_outcome_is_recorded_once_and_whatever_became_of_the_visit() {
        assert!(matches!(when(&[started(1, 1)], &sent(1))[..], [Visited::Notification(Event::Sent(_))]));
        let Some(was_sent) =
            decide(&Agenda::default().of_visit(&fact(2)), &sent(1), |_| true, Time::from_millis(NOW_MS))
        else {
            panic!("it is in the ledger")
        };
        assert_eq!(when(&[started(1, 1), was_sent.clone()], &sent(1)), []);
        let both = when(&[started(1, 0), started(2, 1), was_sent], &sent(2));
        assert!(
            matches!(both[..], [Visited::Notification(Event::Sent(_))]),
            "what was sent twice stands there twice"
        );
        let erased = [
            called(),
            vec![
                Visited::Notification(started(1, 1)),
                Visited::Removed(Default::default()),
                Visited::Erased {},
            ],
        ]
        .concat();
        let after = given::<Waitee>(erased).when(|waitee, now| waitee::deliver(waitee, &sent(1), now));
        assert!(matches!(after[..], [Visited::Notification(Event::Sent(_))]));
    }

    fn fact(seq: u64) -> schema::Fact<Visited> {
        let called = called().remove(1);
        schema::Fact {
            stream: schema::WaiteeId(uuid::Uuid::nil()).into(),
            seq,
            at: Time::from_millis(0),
            tenant: schema::UserId(uuid::Uuid::nil()),
            event: called,
        }
    }

    #[test]
    fn what_is_turned_away_is_tried_again_a_few_times() {
        let fail =
            |attempt, for_now| Command::Fail { message: READY, attempt, code: "Throttled".into(), for_now };
        let again = |events: Vec<Visited>| match events.as_slice() {
            [Visited::Notification(Event::Failed(failed))] => failed.again_at.map(|at| at.millis() - NOW_MS),
            other => panic!("{other:?}"),
        };
        assert_eq!(again(when(&[started(1, 1)], &fail(1, true))), Some(15_000));
        assert_eq!(again(when(&[started(1, 1)], &fail(1, false))), None);
        assert_eq!(again(when(&[started(5, 1)], &fail(5, true))), None, "often enough");
        assert_eq!(when(&[started(1, 0), started(2, 1)], &fail(1, true)), [], "somebody else has it now");
    }

    #[test]
    fn what_may_have_been_sent_is_skipped_by_nobody_else_for_good() {
        let skip = |attempt| Command::Skip { message: READY, attempt, reason: Skip::Late };
        assert!(matches!(when(&[], &skip(None))[..], [Visited::Notification(Event::Skipped(_))]));
        assert_eq!(when(&[started(1, 1)], &skip(None)), [], "somebody has it");
        assert!(matches!(
            when(&[started(1, 1)], &skip(Some(1)))[..],
            [Visited::Notification(Event::Skipped(_))]
        ));
        assert_eq!(when(&[started(1, 0), started(2, 1)], &skip(Some(1))), []);
    }

    #[test]
    fn what_came_back_is_recorded_once_and_only_of_what_was_started() {
        let bounce = Command::Bounce { message: READY, reason: Bounce::Permanent };
        assert_eq!(when(&[], &bounce), []);
        assert!(matches!(when(&[started(1, 1)], &bounce)[..], [Visited::Notification(Event::Bounced(_))]));
        let bounced = Event::Bounced(Bounced { message: READY, why: Bounce::Permanent });
        assert_eq!(when(&[started(1, 1), bounced], &bounce), []);
    }
}
