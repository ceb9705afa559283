use uuid::Uuid;

use super::*;
use crate::{
    Rank, Sealed, StreamId, UserId, WaiteeId, WaitlistId,
    message::{self, Channel, Failed, LEASE_MS, Sent, Skip, Skipped, Started},
    value::PartySize,
    waitee::{Details, Event, Joined, JoinedBy, Party, Why},
};

const MINUTE_MS: i64 = 60_000;

fn at(minutes: i64) -> Time {
    Time::from_millis(minutes * MINUTE_MS)
}

fn joined() -> Event {
    Event::Joined(Joined {
        waitlist: WaitlistId(Uuid::nil()),
        party: Party::new(Sealed::from_text("sealed".into()), PartySize::parse(2).unwrap()),
        day: "2026-11-20".parse().unwrap(),
        rank: Rank::joining(at(0)),
        by: JoinedBy::Host,
    })
}

/// A call at minute 1 that holds the table for ten minutes, with a reminder after seven.
fn called() -> Event {
    Event::Called { hold_until: at(11), remind_at: Some(at(8)) }
}

fn started(cause: u64, minutes: i64) -> Event {
    let message = MessageId { kind: Kind::TableReady, cause };
    Event::Notification(message::Event::Started(Started {
        message,
        attempt: 1,
        channel: Channel::Sms,
        until: at(minutes).plus_millis(LEASE_MS),
    }))
}

fn sent(kind: Kind) -> Event {
    let message = MessageId { kind, cause: 2 };
    Event::Notification(message::Event::Sent(Sent {
        message,
        attempt: 1,
        channel: Channel::Sms,
        provider_id: "one".into(),
    }))
}

/// The agenda after these events, a minute apart.
fn after(events: &[Event]) -> Agenda {
    let stream: StreamId = WaiteeId(Uuid::nil()).into();
    let fact = |(event, seq): (&Event, u64)| Fact {
        stream,
        seq,
        at: at(i64::try_from(seq).unwrap() - 1),
        tenant: UserId(Uuid::nil()),
        event: event.clone(),
    };
    events.iter().zip(1..).map(fact).fold(Agenda::default(), |agenda, fact| agenda.of_visit(&fact))
}

fn deliver(kind: Kind) -> Duty {
    Duty::Deliver(MessageId { kind, cause: 2 })
}

#[test]
fn a_called_party_is_told_then_reminded_then_marked_as_a_no_show() {
    let day = at(24 * 60);
    assert_eq!(after(&[joined()]).next(), Some((day, Duty::Expire)));
    assert_eq!(after(&[joined(), called()]).next(), Some((at(1), deliver(Kind::TableReady))));
    assert_eq!(
        after(&[joined(), called(), started(2, 2)]).next(),
        Some((at(3), deliver(Kind::TableReady))),
        "the outcome is unknown"
    );
    let told = [joined(), called(), started(2, 2), sent(Kind::TableReady)];
    assert_eq!(after(&told).next(), Some((at(8), deliver(Kind::Reminder))));
    let reminded = [&told[..], &[sent(Kind::Reminder)]].concat();
    assert_eq!(after(&reminded).next(), Some((at(11), Duty::NoShow)));
    assert_eq!(after(&[&reminded[..], &[Event::NoShow(Why::default())]].concat()).next(), None);
}

#[test]
fn a_party_that_answers_is_not_reminded_or_told_again_and_is_no_no_show() {
    let begun = [joined(), called(), started(2, 2)];
    assert_eq!(
        after(&[&begun[..], &[Event::Confirmed(Why::default())]].concat()).next(),
        Some((at(24 * 60), Duty::Expire))
    );
    assert_eq!(after(&[&begun[..], &[Event::Seated(Why::default())]].concat()).next(), None);
    let restored = [&begun[..], &[Event::Seated(Why::default()), Event::Restored(Why::default())]].concat();
    assert_eq!(after(&restored).next(), Some((at(24 * 60), Duty::Expire)));
}

#[test]
fn a_guest_who_is_told_late_has_the_whole_hold_from_then_on() {
    let untold = after(&[joined(), called()]);
    assert_eq!((untold.no_show_at(), untold.next()), (None, Some((at(1), deliver(Kind::TableReady)))));
    let waits = [(); 12].map(|()| Event::DetailsChanged(Details::default()));
    let told = [&[joined(), called()], &waits[..], &[started(2, 14), sent(Kind::TableReady)]].concat();
    let told = after(&told);
    assert_eq!(told.hold.map(|hold| hold.until), Some(at(24)), "ten minutes from the fourteenth");
    assert_eq!(told.next(), Some((at(21), deliver(Kind::Reminder))));
    assert_eq!(told.no_show_at(), Some(at(24)));
}

#[test]
fn an_untold_guest_is_a_no_show_only_for_a_reason_of_the_guest_or_the_account() {
    let ready = MessageId { kind: Kind::TableReady, cause: 2 };
    let skipped =
        |why| Event::Notification(message::Event::Skipped(Skipped { message: ready, attempt: None, why }));
    let failed = |attempt, again_at| {
        let failed = Failed { message: ready, attempt, code: "500".into(), again_at };
        Event::Notification(message::Event::Failed(failed))
    };
    let no_show_at = |events: &[Event]| after(&[&[joined(), called()], events].concat()).no_show_at();
    for why in [Skip::NoAddress, Skip::AccountUnconfirmed, Skip::AccountCap, Skip::OptedOut] {
        assert_eq!(no_show_at(&[skipped(why)]), Some(at(11)), "{why:?}");
    }
    assert_eq!(no_show_at(&[skipped(Skip::Late)]), None);
    assert_eq!(no_show_at(&[started(2, 2), failed(1, Some(at(4)))]), None, "it is tried again");
    assert_eq!(no_show_at(&[started(2, 2), failed(1, None)]), Some(at(11)), "refused for good");
    let last = |attempt| {
        let until = at(2).plus_millis(LEASE_MS);
        let started = Started { message: ready, attempt, channel: Channel::Sms, until };
        Event::Notification(message::Event::Started(started))
    };
    let attempts = Kind::TableReady.attempts_max();
    assert_eq!(no_show_at(&[last(attempts), failed(attempts, None)]), None, "never accepted");
    assert_eq!(no_show_at(&[last(attempts)]), Some(at(11)), "it may have been sent");
}

#[test]
fn a_due_message_that_was_never_started_stays_due_after_the_visit() {
    let seated = after(&[joined(), called(), Event::Seated(Why::default())]);
    assert_eq!(seated.next(), Some((at(1), deliver(Kind::TableReady))), "its skip is still to be recorded");
    let message = MessageId { kind: Kind::TableReady, cause: 2 };
    let skipped = Skipped { message, attempt: None, why: Skip::Needless };
    let skipped = Event::Notification(message::Event::Skipped(skipped));
    assert_eq!(after(&[joined(), called(), Event::Seated(Why::default()), skipped]).next(), None);
}

#[test]
fn only_the_forgetting_is_due_after_an_erasure() {
    let erased = [joined(), called(), Event::Erased {}];
    assert_eq!(after(&erased).next(), Some((at(2).plus_millis(ERASURE_MS), Duty::Forget)));
    assert_eq!(after(&[&erased[..], &[Event::Forgotten {}]].concat()).next(), None);
}

#[test]
fn the_tick_leaves_a_new_message_to_the_reactor_for_the_time_of_a_lease() {
    assert_eq!(after(&[joined(), called()]).sought_at(), Some(at(2)));
    assert_eq!(after(&[joined(), called(), started(2, 2)]).sought_at(), Some(at(3)));
    let told = after(&[joined(), called(), started(2, 2), sent(Kind::TableReady)]);
    assert_eq!(told.sought_at(), Some(at(8)), "no event leads the reactor to a reminder");
}

#[test]
fn a_mail_is_due_until_it_is_sent() {
    let fact = |event, seq: u64| Fact {
        stream: crate::MailId(Uuid::nil()).into(),
        seq,
        at: at(i64::try_from(seq).unwrap() - 1),
        tenant: UserId(Uuid::nil()),
        event,
    };
    let asked = mail::Event::Asked(mail::Asked { kind: mail::Kind::Welcome, user_seq: 1 });
    let message = MessageId { kind: Kind::Welcome, cause: 1 };
    let wanted = Agenda::default().of_mail(&fact(asked, 1));
    assert_eq!(wanted.next(), Some((at(0), Duty::Deliver(message))));
    let sent = Sent { message, attempt: 1, channel: Channel::Email, provider_id: "one".into() };
    let sent = mail::Event::Message(message::Event::Sent(sent));
    assert_eq!(wanted.of_mail(&fact(sent, 2)).next(), None);
}
