use super::*;
use crate::{id::Category, waitee, waitlist};

/// A commit that claims two events and holds this text.
fn commit(events: &str) -> Commit {
    let stream = StreamId { category: Category::Waitee, id: Uuid::nil() };
    let author = Author {
        tenant: UserId(Uuid::nil()),
        actor: Actor::User(UserId(Uuid::nil())),
        command: None,
        correlation: "r".into(),
        causation: None,
    };
    let seated = || waitee::Event::Seated(waitee::Why::default());
    let tail = Tail { seq: 6, ..Tail::EMPTY };
    let whole = Commit::new(stream, &tail, Time::from_millis(0), Uuid::nil(), &author, &[seated(), seated()])
        .unwrap();
    Commit { events: events.to_owned(), ..whole }
}

fn unreadable<E: DomainEvent>(events: &str) -> String {
    commit(events).facts::<E>().map(|facts| facts.len()).unwrap_err().to_string()
}

const SEATED: &str = r#"{"type":"waitee.seated","v":1,"data":{}}"#;

#[test]
fn the_stored_bytes_of_events_are_those_of_the_first_release() {
    let settled = Time::from_millis(1_795_203_720_000);
    let sent = crate::message::Sent {
        message: "table-ready-2".parse().unwrap(),
        attempt: 1,
        channel: crate::message::Channel::Sms,
        provider_id: "one".into(),
    };
    let events = [
        waitee::Event::Called { hold_until: settled, remind_at: None },
        waitee::Event::Seated(waitee::Why { reason: Some(crate::Sealed::from_text("sealed".into())) }),
        waitee::Event::Notification(crate::message::Event::Sent(sent)),
        waitee::Event::Erased {},
    ];
    let stored = concat!(
        r#"[{"type":"waitee.called","v":1,"data":{"hold_until":"2026-11-20T19:42:00.000Z"}},"#,
        r#"{"type":"waitee.seated","v":1,"data":{"reason":"sealed"}},"#,
        r#"{"type":"waitee.notification-sent","v":1,"#,
        r#""data":{"attempt":1,"channel":"sms","message":"table-ready-2","provider_id":"one"}},"#,
        r#"{"type":"waitee.erased","v":1,"data":{}}]"#,
    );
    assert_eq!(events::encode(&events).unwrap(), stored);
}

#[test]
fn each_event_has_its_own_number() {
    let facts = commit(&format!("[{SEATED},{SEATED}]")).facts::<waitee::Event>().unwrap();
    assert_eq!(facts.iter().map(|fact| fact.seq).collect::<Vec<_>>(), [7, 8]);
}

#[test]
fn an_unknown_type_is_named_with_its_place() {
    let error =
        unreadable::<waitee::Event>(&format!(r#"[{SEATED},{{"type":"waitee.flew","v":1,"data":{{}}}}]"#));
    assert_eq!(
        error,
        "waitee-00000000-0000-0000-0000-000000000000@8 holds waitee.flew v1, which this code does not know"
    );
}

#[test]
fn an_unknown_version_of_a_known_type_is_named_with_its_place() {
    for v in [0, 2] {
        let error = unreadable::<waitee::Event>(&format!(
            r#"[{{"type":"waitee.seated","v":{v},"data":{{}}}},{SEATED}]"#
        ));
        let place = "waitee-00000000-0000-0000-0000-000000000000@7";
        assert_eq!(error, format!("{place} holds waitee.seated v{v}, which this code does not know"));
    }
}

#[test]
fn an_event_of_another_category_is_unknown() {
    assert!(unreadable::<waitlist::Event>(&format!("[{SEATED},{SEATED}]")).contains("waitee.seated v1"));
}

#[test]
fn a_commit_with_another_number_of_events_than_it_claims_is_not_read() {
    for (events, found) in
        [("[]".to_owned(), 0), (format!("[{SEATED}]"), 1), (format!("[{SEATED},{SEATED},{SEATED}]"), 3)]
    {
        let error = unreadable::<waitee::Event>(&events);
        assert!(error.ends_with(&format!("@7 holds {found} events but claims to end at 8")), "{error}");
    }
}

#[test]
fn text_that_is_no_list_of_events_is_not_read() {
    for events in ["", "{}", "[7]", r#"[{"type":"waitee.seated"}]"#] {
        assert!(unreadable::<waitee::Event>(events).ends_with("@7 are no list of events"), "{events}");
    }
}
