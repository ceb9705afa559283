use schema::{
    message::{Bounce, Bounced, Channel, Event, Failed, LEASE_MS, MessageId, Sent, Skip, Skipped, Started},
    waitee::Event as Visited,
};

use super::*;
use crate::{
    delivery::Command,
    spec::{
        Then, at, given,
        visits::{joined, why},
    },
    waitee::Waitee,
};

const READY: MessageId = MessageId { kind: Kind::TableReady, cause: 2 };
const REMINDER: MessageId = MessageId { kind: Kind::Reminder, cause: 2 };

/// The party joined and was called: its table is held for ten minutes, and a reminder is due in seven.
fn called() -> Vec<Visited> {
    vec![joined(), Visited::Called { hold_until: at(600_000), remind_at: Some(at(420_000)) }]
}

/// The decision on a step, after the call and these events.
fn after(more: impl IntoIterator<Item = Visited>, step: Command) -> Then<Waitee> {
    given(called().into_iter().chain(more)).when(step)
}

fn start(message: MessageId) -> Command {
    Command::Start { message, channel: Channel::Sms }
}

fn send(attempt: u32) -> Command {
    Command::Sent { message: READY, attempt, channel: Channel::Sms, provider_id: "one".into() }
}

fn fail(attempt: u32, for_now: bool) -> Command {
    Command::Fail { message: READY, attempt, code: "Throttled".into(), for_now }
}

fn skip(attempt: Option<u32>) -> Command {
    Command::Skip { message: READY, attempt, reason: Skip::Late }
}

/// The message was started, with a lease until so many milliseconds from now.
fn started(attempt: u32, until_ms: i64) -> Visited {
    let channel = Channel::Sms;
    Visited::Notification(Event::Started(Started { message: READY, attempt, channel, until: at(until_ms) }))
}

fn sent(attempt: u32) -> Visited {
    let (channel, provider_id) = (Channel::Sms, "one".into());
    Visited::Notification(Event::Sent(Sent { message: READY, attempt, channel, provider_id }))
}

fn failed(attempt: u32, again_in_ms: Option<i64>) -> Visited {
    let (code, again_at) = ("Throttled".into(), again_in_ms.map(at));
    Visited::Notification(Event::Failed(Failed { message: READY, attempt, code, again_at }))
}

fn skipped(attempt: Option<u32>) -> Visited {
    Visited::Notification(Event::Skipped(Skipped { message: READY, attempt, why: Skip::Late }))
}

fn erased() -> [Visited; 2] {
    [Visited::Removed(why()), Visited::Erased {}]
}

#[test]
fn only_one_of_several_senders_gets_the_lease() {
    after([], start(READY)).then([started(1, LEASE_MS)]);
    after([started(1, 1)], start(READY)).then_nothing();
}

#[test]
fn a_message_whose_lease_expired_without_an_outcome_is_started_again() {
    after([started(1, 0)], start(READY)).then([started(2, LEASE_MS)]);
}

#[test]
fn a_reminder_is_not_due_before_its_time_and_not_sent_again() {
    after([], start(REMINDER)).then_nothing();
    let unknown = Started { message: REMINDER, attempt: 1, channel: Channel::Sms, until: at(0) };
    after([Visited::Notification(Event::Started(unknown))], start(REMINDER)).then_nothing();
}

#[test]
fn no_message_is_started_once_the_party_has_answered_or_gone_or_was_erased() {
    for end in [Visited::Confirmed(why()), Visited::Seated(why()), Visited::NoShow(why()), Visited::Erased {}]
    {
        after([end], start(READY)).then_nothing();
    }
}

#[test]
fn an_outcome_is_recorded_once_for_each_attempt() {
    after([started(1, 1)], send(1)).then([sent(1)]);
    after([started(1, 1), sent(1)], send(1)).then_nothing();
    after([started(1, 0), started(2, 1), sent(1)], send(2)).then([sent(2)]);
}

#[test]
fn an_outcome_is_recorded_after_an_erasure_too() {
    after([started(1, 1)].into_iter().chain(erased()), send(1)).then([sent(1)]);
}

#[test]
fn a_message_that_is_refused_for_now_is_tried_again_a_few_times() {
    after([started(1, 1)], fail(1, true)).then([failed(1, Some(15_000))]);
    after([started(1, 1)], fail(1, false)).then([failed(1, None)]);
    after([started(5, 1)], fail(5, true)).then([failed(5, None)]);
    after([started(1, 0), started(2, 1)], fail(1, true)).then_nothing();
}

#[test]
fn a_message_that_is_refused_after_an_erasure_is_not_tried_again() {
    after([started(1, 1)].into_iter().chain(erased()), fail(1, true)).then([failed(1, None)]);
}

#[test]
fn a_message_is_skipped_by_the_holder_of_its_lease_or_while_there_is_none() {
    after([], skip(None)).then([skipped(None)]);
    after([started(1, 1)], skip(None)).then_nothing();
    after([started(1, 1)], skip(Some(1))).then([skipped(Some(1))]);
    after([started(1, 0), started(2, 1)], skip(Some(1))).then_nothing();
}

#[test]
fn a_bounce_is_recorded_once_and_only_of_a_message_that_was_started() {
    let bounce = || Command::Bounce { message: READY, reason: Bounce::Permanent };
    let bounced =
        || Visited::Notification(Event::Bounced(Bounced { message: READY, why: Bounce::Permanent }));
    after([], bounce()).then_nothing();
    after([started(1, 1)], bounce()).then([bounced()]);
    after([started(1, 1), bounced()], bounce()).then_nothing();
}

#[test]
fn a_restore_ends_every_message_that_is_still_to_be_sent_whenever_it_is_due() {
    let settle = |message| Command::Settle { message };
    let reminder =
        Visited::Notification(Event::Skipped(Skipped { message: REMINDER, attempt: None, why: Skip::Late }));
    after([], settle(READY)).then([skipped(None)]);
    after([], settle(REMINDER)).then([reminder]);
    after([started(1, 60_000)], settle(READY)).then([skipped(None)]);
    after([started(1, 60_000), failed(1, Some(15_000))], settle(READY)).then([skipped(None)]);
    for ended in [vec![started(1, 60_000), sent(1)], vec![skipped(None)], erased().into()] {
        after(ended, settle(READY)).then_nothing();
    }
}
