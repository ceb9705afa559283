use super::*;
use crate::message::{Bounced, Failed, Sent, Skipped, Started};

const READY: MessageId = MessageId { kind: Kind::TableReady, cause: 2 };

fn at(ms: i64) -> Time {
    Time::from_millis(ms)
}

fn started(attempt: u32, until: i64) -> Event {
    Event::Started(Started { message: READY, attempt, channel: Channel::Sms, until: at(until) })
}

fn sent(attempt: u32) -> Event {
    Event::Sent(Sent { message: READY, attempt, channel: Channel::Sms, provider_id: "one".into() })
}

fn failed(attempt: u32, again_at: Option<i64>) -> Event {
    Event::Failed(Failed { message: READY, attempt, code: "Throttled".into(), again_at: again_at.map(at) })
}

fn skipped(attempt: Option<u32>) -> Event {
    Event::Skipped(Skipped { message: READY, attempt, why: Skip::Late })
}

fn bounced() -> Event {
    Event::Bounced(Bounced { message: READY, why: Bounce::Permanent })
}

fn after(events: &[Event]) -> Entry {
    let mut ledger = Ledger::default();
    ledger.want(READY, at(0));
    for (event, ms) in events.iter().zip(1..) {
        ledger.record(event, at(ms));
    }
    ledger.entry(READY).unwrap().clone()
}

#[test]
fn a_message_is_due_until_it_is_settled() {
    assert_eq!(after(&[]).due_at(), Some(at(0)));
    assert_eq!(after(&[started(1, 50)]).due_at(), Some(at(50)), "the outcome is unknown");
    assert_eq!(after(&[started(1, 50), failed(1, Some(70))]).due_at(), Some(at(70)));
    for settled in [sent(1), failed(1, None), bounced(), skipped(Some(1))] {
        assert_eq!(after(&[started(1, 50), settled]).due_at(), None);
    }
    assert_eq!(after(&[started(Kind::TableReady.attempts_max(), 50)]).due_at(), None, "no attempt is left");
}

#[test]
fn the_outcome_of_an_expired_lease_is_unknown() {
    let entry = after(&[started(1, 50)]);
    assert_eq!((entry.status(at(49)), entry.status(at(50))), (Status::Started, Status::Unknown));
    let entry = after(&[started(1, 50), skipped(None)]);
    assert_eq!(
        (entry.status(at(50)), entry.due_at()),
        (Status::Unknown, None),
        "not sent again, and still unknown"
    );
}

#[test]
fn a_failure_after_an_unknown_attempt_stays_unknown_until_a_sent_arrives() {
    for (end, alone) in [(failed(2, None), Status::Failed), (skipped(Some(2)), Status::Skipped)] {
        assert_eq!(
            after(&[started(1, 5), failed(1, Some(5)), started(2, 50), end.clone()]).status(at(9)),
            alone
        );
        assert_eq!(after(&[started(1, 5), started(2, 50), end.clone()]).status(at(9)), Status::Unknown);
        assert_eq!(after(&[started(1, 5), started(2, 50), end, sent(1)]).status(at(9)), Status::Sent);
    }
    assert_eq!(
        after(&[started(1, 5), started(2, 50), failed(2, Some(70))]).status(at(9)),
        Status::Due,
        "it is tried again"
    );
}

#[test]
fn a_sent_message_stays_sent_after_a_late_failure() {
    for late in [failed(1, None), failed(1, Some(9)), failed(2, None)] {
        assert_eq!(after(&[started(1, 5), sent(1), late.clone()]).standing, Standing::Sent { by: 1 });
        assert_eq!(after(&[started(1, 5), started(2, 50), sent(1), late]).standing, Standing::Sent { by: 1 });
    }
    assert!(matches!(
        after(&[started(1, 5), started(2, 50), failed(1, None)]).standing,
        Standing::Started { .. }
    ));
    assert_eq!(after(&[started(1, 5), bounced(), sent(1)]).status(at(9)), Status::Bounced);
}

#[test]
fn reasons_are_single_words() {
    assert_eq!(after(&[skipped(None)]).reason().as_deref(), Some("late"));
    assert_eq!(after(&[started(1, 5), sent(1), bounced()]).reason().as_deref(), Some("permanent"));
    assert_eq!(after(&[started(1, 5), failed(1, None)]).reason().as_deref(), Some("Throttled"));
    assert_eq!(after(&[]).reason(), None);
}

#[test]
fn a_full_ledger_drops_settled_messages_first() {
    let mut ledger = Ledger::default();
    let id = |cause| MessageId { kind: Kind::TableReady, cause };
    ledger.want(id(1), at(0));
    for cause in 2..=100 {
        ledger.want(id(cause), at(0));
        ledger.record(
            &Event::Skipped(Skipped { message: id(cause), attempt: None, why: Skip::Needless }),
            at(1),
        );
    }
    assert_eq!(ledger.entries().len(), REMEMBERED_MAX);
    assert_eq!(ledger.entry(id(1)).and_then(Entry::due_at), Some(at(0)), "a due message stays");
    for cause in 101..=200 {
        ledger.want(id(cause), at(0));
    }
    assert_eq!(ledger.entries().len(), REMEMBERED_MAX);
    assert!(ledger.entry(id(200)).is_some() && ledger.entry(id(1)).is_none(), "the latest stays");
}

#[test]
fn a_full_ledger_keeps_a_message_with_a_lease() {
    let mut ledger = Ledger::default();
    let sending = MessageId { kind: Kind::Reminder, cause: 2 };
    ledger.want(sending, at(0));
    ledger.record(
        &Event::Started(Started { message: sending, attempt: 1, channel: Channel::Sms, until: at(50) }),
        at(1),
    );
    for cause in 3..=100 {
        ledger.want(MessageId { kind: Kind::TableReady, cause }, at(0));
    }
    assert!(ledger.entry(sending).is_some());
    assert_eq!(ledger.entries().len(), REMEMBERED_MAX);
}

#[test]
fn messages_without_lease_or_outcome_are_unsent() {
    let unsent = |events: &[Event]| {
        let mut ledger = Ledger::default();
        ledger.want(READY, at(0));
        for (event, ms) in events.iter().zip(1..) {
            ledger.record(event, at(ms));
        }
        ledger.unsent().count()
    };
    assert_eq!(unsent(&[]), 1);
    assert_eq!(unsent(&[started(1, 50), failed(1, Some(70))]), 1);
    assert_eq!(unsent(&[started(1, 50)]), 0);
    for settled in [sent(1), failed(1, None), skipped(Some(1))] {
        assert_eq!(unsent(&[started(1, 50), settled]), 0);
    }
}
