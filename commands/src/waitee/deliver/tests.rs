use schema::{
    agenda::Agenda,
    message::{Bounce, Bounced, Channel, Event, LEASE_MS, MessageId, Skip, Started},
    waitee::Event as Visited,
};

use super::*;
use crate::{
    delivery::{Command, decide},
    spec::{NOW_MS, given, joined_at},
};

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
    given::<Waitee>(past).when(|waitee, now| super::deliver(waitee, command, now))
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
    assert!(has_started(&when(&[started(1, 0)], &start(READY)), 2), "nobody knows whether that one sent it");
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
        assert_eq!(given::<Waitee>(past).when(|waitee, now| super::deliver(waitee, &start(READY), now)), []);
    }
}

#[test]
fn nothing_is_begun_about_who_is_erased() {
    let erased = [called(), vec![Visited::Erased {}]].concat();
    assert_eq!(given::<Waitee>(erased).when(|waitee, now| super::deliver(waitee, &start(READY), now)), []);
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
        vec![Visited::Notification(started(1, 1)), Visited::Removed(Default::default()), Visited::Erased {}],
    ]
    .concat();
    let after = given::<Waitee>(erased).when(|waitee, now| super::deliver(waitee, &sent(1), now));
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
fn a_message_that_is_refused_after_an_erasure_is_not_tried_again() {
    let fail = Command::Fail { message: READY, attempt: 1, code: "Throttled".into(), for_now: true };
    let started = Visited::Notification(started(1, 1));
    let erased = [called(), vec![started, Visited::Removed(Default::default()), Visited::Erased {}]].concat();
    let after = given::<Waitee>(erased).when(|waitee, now| super::deliver(waitee, &fail, now));
    let [Visited::Notification(Event::Failed(failed))] = &after[..] else { panic!("{after:?}") };
    assert_eq!(failed.again_at, None);
}

#[test]
fn what_may_have_been_sent_is_skipped_by_nobody_else_for_good() {
    let skip = |attempt| Command::Skip { message: READY, attempt, reason: Skip::Late };
    assert!(matches!(when(&[], &skip(None))[..], [Visited::Notification(Event::Skipped(_))]));
    assert_eq!(when(&[started(1, 1)], &skip(None)), [], "somebody has it");
    assert!(matches!(when(&[started(1, 1)], &skip(Some(1)))[..], [Visited::Notification(Event::Skipped(_))]));
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
