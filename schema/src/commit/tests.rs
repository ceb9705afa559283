use super::*;
use crate::{waitee, waitlist};

/// A commit of two events, as it would be read back, with this text.
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
fn who_asks_for_some_types_need_not_understand_the_others() {
    let commit = commit(&format!(r#"[{{"type":"waitee.flew","v":1,"data":{{}}}},{SEATED}]"#));
    let seqs = |types: &[&str]| {
        commit
            .facts_of::<waitee::Event>(types)
            .map(|facts| facts.iter().map(|fact| fact.seq).collect::<Vec<_>>())
    };
    assert_eq!(seqs(&["waitee.seated", "waitee.erased"]).unwrap(), [8]);
    assert_eq!(seqs(&["waitee.erased"]).unwrap(), [0; 0]);
    assert!(seqs(&["waitee.flew"]).is_err());
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
fn a_commit_of_more_or_fewer_events_than_it_claims_is_not_read() {
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
