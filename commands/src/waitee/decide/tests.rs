use schema::{
    WaiteeId, WaitlistId,
    body::Beside,
    message::{self, Kind, MessageId, Skip, Skipped},
    value::{PartySize, QuoteMinutes, Zone},
    waitee::Why,
};
use uuid::Uuid;

use super::*;
use crate::{
    spec::{LIST_OPEN, NOW_MS, because, given, joined_at},
    waitee::refusal::allowed,
};

fn list() -> Waitlist {
    Waitlist::Kept(LIST_OPEN.clone())
}

fn list_with(json: &str) -> Waitlist {
    let patch: schema::body::ChangeWaitlist = schema::check::json(json.as_bytes()).unwrap();
    Waitlist::Kept(waitlist::State {
        settings: patch.apply(&LIST_OPEN.settings).unwrap(),
        ..LIST_OPEN.clone()
    })
}

fn joined() -> Event {
    joined_at(NOW_MS - 60_000)
}

fn called() -> Event {
    Event::Called { hold_until: Time::from_millis(NOW_MS), remind_at: None }
}

fn join_as(list: Waitlist, active: usize) -> Command {
    let party = Party::new(Sealed::from_text("sealed".into()), PartySize::parse(4).unwrap());
    Command::Join { id: WaitlistId(Uuid::nil()), list, active, party, by: JoinedBy::Host }
}

fn when(events: Vec<Event>, command: Command) -> Result<Vec<Event>, Refusal> {
    given::<Waitee>(events).when(|waitee, now| decide(waitee, &command, now))
}

fn why() -> Why {
    Why::default()
}

fn restore() -> Command {
    Command::Restore { list: list(), why: why() }
}

/// The events that lead to each state.
fn leading_to(state: State) -> Vec<Event> {
    match state {
        State::Waiting => vec![joined()],
        State::Called => vec![joined(), called()],
        State::Confirmed => vec![joined(), called(), Event::Confirmed(why())],
        State::Seated => vec![joined(), Event::Seated(why())],
        State::Left => vec![joined(), Event::Left(why())],
        State::Removed => vec![joined(), Event::Removed(why())],
        State::NoShow => vec![joined(), Event::NoShow(why())],
    }
}

const STATES: [State; 7] = [
    State::Waiting,
    State::Called,
    State::Confirmed,
    State::Seated,
    State::Left,
    State::Removed,
    State::NoShow,
];

#[test]
fn a_party_joins_at_the_end_of_the_line_on_the_lists_own_day() {
    let decided = when(vec![], join_as(list(), 3)).unwrap();
    let [Event::Joined(joined)] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!(joined.rank, Rank::joining(Time::from_millis(NOW_MS)));
    let los_angeles: Zone = "America/Los_Angeles".parse().unwrap();
    assert_eq!(joined.day, los_angeles.business_day(Time::from_millis(NOW_MS), "04:00".parse().unwrap()));
    assert_eq!(joined.party.quoted_minutes, None);
}

#[test]
fn the_quote_is_the_lists_per_party_ahead_unless_the_host_says_otherwise() {
    let quoting = || list_with(r#"{"quote_minutes": 7}"#);
    let quoted = |active, own: Option<i64>| {
        let Command::Join { id, list, active, party, by } = join_as(quoting(), active) else {
            unreachable!()
        };
        let party = Party { quoted_minutes: own.map(|own| QuoteMinutes::parse(own).unwrap()), ..party };
        match &when(vec![], Command::Join { id, list, active, party, by }).unwrap()[..] {
            [Event::Joined(joined)] => joined.party.quoted_minutes.map(QuoteMinutes::get),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(quoted(3, None), Some(21));
    assert_eq!(quoted(0, None), Some(0));
    assert_eq!(quoted(3, Some(5)), Some(5));
    assert_eq!(quoted(150, None), Some(600));
}

#[test]
fn a_list_that_is_closed_full_or_gone_takes_nobody() {
    let closed = Waitlist::Kept(waitlist::State { open: false, ..LIST_OPEN.clone() });
    assert_eq!(when(vec![], join_as(closed, 0)), Err(Refusal::ListClosed));
    assert_eq!(when(vec![], join_as(list_with(r#"{"capacity": 2}"#), 2)), Err(Refusal::ListFull(2)));
    assert_eq!(when(vec![], join_as(Waitlist::Deleted, 0)), Err(Refusal::NotFound));
}

#[test]
fn a_call_holds_the_table_and_says_when_to_remind() {
    let list = list_with(r#"{"hold_minutes": 15, "remind_minutes": 5}"#);
    let now = Time::from_millis(NOW_MS);
    let expected = Event::Called { hold_until: now.plus_minutes(15), remind_at: Some(now.plus_minutes(10)) };
    assert_eq!(when(vec![joined()], Command::Call { list }), Ok(vec![expected]));
}

#[test]
fn calling_again_is_allowed_and_counts() {
    assert_eq!(when(vec![joined(), called()], Command::Call { list: list() }).unwrap().len(), 1);
}

#[test]
fn an_active_party_may_be_seated_leave_be_removed_or_not_show_up() {
    for state in STATES.into_iter().filter(|state| state.is_active()) {
        assert_eq!(when(leading_to(state), Command::Seat(because())), Ok(vec![Event::Seated(because())]));
        assert_eq!(when(leading_to(state), Command::Leave(why())), Ok(vec![Event::Left(why())]));
        assert_eq!(when(leading_to(state), Command::Remove(why())), Ok(vec![Event::Removed(why())]));
        assert_eq!(when(leading_to(state), Command::NoShow(why())), Ok(vec![Event::NoShow(why())]));
    }
}

#[test]
fn only_a_called_party_confirms() {
    for state in STATES {
        let expected = match state {
            State::Called => Ok(vec![Event::Confirmed(why())]),
            State::Confirmed => Ok(vec![]),
            other => Err(Refusal::NotFrom(other)),
        };
        assert_eq!(when(leading_to(state), Command::Confirm(why())), expected);
    }
}

#[test]
fn every_state_but_waiting_can_be_restored() {
    for state in STATES {
        let expected = if state == State::Waiting { vec![] } else { vec![Event::Restored(why())] };
        assert_eq!(when(leading_to(state), restore()), Ok(expected));
    }
}

#[test]
fn nobody_is_restored_to_a_list_that_is_gone() {
    assert_eq!(
        when(leading_to(State::Left), Command::Restore { list: Waitlist::Deleted, why: why() }),
        Err(Refusal::NotFound)
    );
}

#[test]
fn a_repeated_transition_changes_nothing() {
    assert_eq!(when(leading_to(State::Seated), Command::Seat(because())), Ok(vec![]));
    assert_eq!(when(leading_to(State::Left), Command::Leave(why())), Ok(vec![]));
    assert_eq!(when(leading_to(State::Removed), Command::Remove(why())), Ok(vec![]));
    assert_eq!(when(leading_to(State::NoShow), Command::NoShow(why())), Ok(vec![]));
    assert_eq!(when(vec![joined()], join_as(list(), 0)), Ok(vec![]));
}

/// What the refusal tells a client is exactly what would be accepted.
#[test]
fn the_allowed_transitions_are_those_that_are_not_refused() {
    for state in STATES {
        let mut accepted = Vec::new();
        let other = Target {
            waitlist: WaitlistId(Uuid::nil()),
            active: true,
            rank: Rank::joining(Time::from_millis(5)),
            neighbour: None,
        };
        let moving = Command::Move {
            beside: Beside::Before(WaiteeId(Uuid::nil())),
            target: Some(other),
            reason: None,
        };
        for (name, command) in [
            ("call", Command::Call { list: list() }),
            ("confirm", Command::Confirm(why())),
            ("seat", Command::Seat(why())),
            ("no-show", Command::NoShow(why())),
            ("leave", Command::Leave(why())),
            ("remove", Command::Remove(why())),
            ("restore", restore()),
            ("move", moving),
        ] {
            if when(leading_to(state), command).is_ok_and(|events| !events.is_empty()) {
                accepted.push(name);
            }
        }
        assert_eq!(accepted, allowed(state), "{state:?}");
    }
}

#[test]
fn nothing_can_be_done_with_a_party_that_never_joined() {
    for command in
        [Command::Seat(why()), Command::Call { list: list() }, Command::Change(Details::default()), restore()]
    {
        assert_eq!(when(vec![], command), Err(Refusal::NotFound));
    }
}

#[test]
fn a_detail_that_stays_the_same_is_no_event() {
    let same = Details {
        party_size: Some(PartySize::parse(4).unwrap()),
        quoted_minutes: Some(None),
        ..Details::default()
    };
    assert_eq!(when(vec![joined()], Command::Change(same)), Ok(vec![]));
    let bigger = Details { party_size: Some(PartySize::parse(5).unwrap()), ..Details::default() };
    assert_eq!(
        when(vec![joined()], Command::Change(bigger.clone())),
        Ok(vec![Event::DetailsChanged(bigger)])
    );
}

fn target(at_ms: i64, neighbour_ms: Option<i64>) -> Target {
    let rank = |ms| Rank::joining(Time::from_millis(ms));
    Target {
        waitlist: WaitlistId(Uuid::nil()),
        active: true,
        rank: rank(at_ms),
        neighbour: neighbour_ms.map(rank),
    }
}

fn moved(beside: fn(WaiteeId) -> Beside, target: Target) -> Result<Vec<Event>, Refusal> {
    when(
        vec![joined()],
        Command::Move { beside: beside(WaiteeId(Uuid::nil())), target: Some(target), reason: None },
    )
}

#[test]
fn a_moved_party_stands_strictly_between_its_new_neighbours() {
    let before = moved(Beside::Before, target(5_000, Some(4_000))).unwrap();
    assert!(
        matches!(&before[..], [Event::Moved { rank, .. }] if *rank > target(4_000, None).rank && *rank < target(5_000, None).rank)
    );
    let first = moved(Beside::Before, target(5_000, None)).unwrap();
    assert!(matches!(&first[..], [Event::Moved { rank, .. }] if *rank < target(5_000, None).rank));
}

#[test]
fn who_joins_later_stands_behind_a_party_moved_to_the_end() {
    let last = moved(Beside::After, target(NOW_MS - 1_000, None)).unwrap();
    let later = Rank::joining(Time::from_millis(NOW_MS + 1));
    assert!(
        matches!(&last[..], [Event::Moved { rank, .. }] if *rank > target(NOW_MS - 1_000, None).rank && *rank < later)
    );
}

#[test]
fn a_party_that_already_stands_there_is_not_moved() {
    assert_eq!(moved(Beside::After, target(NOW_MS - 120_000, None)), Ok(vec![]));
}

#[test]
fn one_moves_next_to_parties_on_the_same_board_only() {
    let elsewhere = Target { waitlist: WaitlistId(Uuid::max()), ..target(5_000, None) };
    let gone = Target { active: false, ..target(5_000, None) };
    assert_eq!(moved(Beside::Before, elsewhere), Err(Refusal::NotOnBoard));
    assert_eq!(moved(Beside::Before, gone), Err(Refusal::NotOnBoard));
    let unknown = Command::Move { beside: Beside::After(WaiteeId(Uuid::nil())), target: None, reason: None };
    assert_eq!(when(vec![joined()], unknown), Err(Refusal::NotOnBoard));
    assert_eq!(
        when(
            leading_to(State::Left),
            Command::Move {
                beside: Beside::After(WaiteeId(Uuid::nil())),
                target: Some(target(1, None)),
                reason: None
            }
        ),
        Err(Refusal::NotFrom(State::Left))
    );
}

/// Erased in this state.
fn erased(state: State) -> Vec<Event> {
    [leading_to(state), vec![Event::Erased {}]].concat()
}

#[test]
fn a_guest_who_is_erased_leaves_the_board_first_and_is_told_nothing_more() {
    for state in STATES {
        let message = MessageId { kind: message::Kind::TableReady, cause: 2 };
        let skipped = Skipped { message, attempt: None, why: Skip::Erased };
        let skipped = Event::Notification(message::Event::Skipped(skipped));
        let was_called = matches!(state, State::Called | State::Confirmed);
        let skipped = was_called.then_some(skipped).into_iter();
        let removed = state.is_active().then(|| Event::Removed(why()));
        let expected: Vec<Event> = skipped.chain(removed).chain([Event::Erased {}]).collect();
        assert_eq!(when(leading_to(state), Command::Erase), Ok(expected), "{state:?}");
    }
    assert_eq!(when(vec![], Command::Erase), Err(Refusal::NotFound));
}

#[test]
fn a_guest_is_erased_once_and_then_forgotten_once() {
    let forgotten = [erased(State::Left), vec![Event::Forgotten {}]].concat();
    assert_eq!(when(erased(State::Left), Command::Erase), Ok(vec![]));
    assert_eq!(when(erased(State::Left), Command::Forget), Ok(vec![Event::Forgotten {}]));
    assert_eq!(when(forgotten.clone(), Command::Erase), Ok(vec![]));
    assert_eq!(when(forgotten, Command::Forget), Ok(vec![]));
    assert_eq!(when(vec![joined()], Command::Forget), Ok(vec![]), "nobody asked for it");
}

#[test]
fn nothing_but_the_forgetting_follows_an_erasure() {
    let size = Details { party_size: Some(PartySize::parse(4).unwrap()), ..Details::default() };
    for state in STATES {
        for events in [erased(state), [erased(state), vec![Event::Forgotten {}]].concat()] {
            for command in [
                Command::Change(size.clone()),
                Command::Call { list: list() },
                Command::Confirm(why()),
                Command::Seat(why()),
                Command::NoShow(why()),
                Command::Leave(why()),
                Command::Remove(why()),
                restore(),
                Command::Restore { list: Waitlist::Deleted, why: why() },
                Command::Move {
                    beside: Beside::Before(WaiteeId(Uuid::nil())),
                    target: Some(target(5_000, None)),
                    reason: None,
                },
            ] {
                assert_eq!(
                    when(events.clone(), command.clone()),
                    Err(Refusal::Erased),
                    "{state:?}, {command:?}"
                );
            }
        }
    }
}

fn long_ago() -> Time {
    Time::from_millis(NOW_MS).plus_millis(-schema::agenda::VISIT_MS)
}

/// What follows a day after the party joined.
fn a_day_later(events: &[Event], command: &Command) -> Result<Vec<Event>, Refusal> {
    let stream = schema::WaiteeId(uuid::Uuid::nil()).into();
    let facts = events.iter().zip(1..).map(|(event, seq)| schema::Fact {
        stream,
        seq,
        at: long_ago(),
        tenant: schema::UserId(uuid::Uuid::nil()),
        event: event.clone(),
    });
    decide(
        &facts.fold(Waitee::default(), |waitee, fact| infra::log::Aggregate::evolve(waitee, &fact)),
        command,
        Time::from_millis(NOW_MS),
    )
}

fn skipped(why: Skip) -> Event {
    let message = MessageId { kind: Kind::TableReady, cause: 2 };
    Event::Notification(message::Event::Skipped(Skipped { message, attempt: None, why }))
}

fn called_until(minutes: u32) -> Event {
    Event::Called { hold_until: Time::from_millis(NOW_MS).plus_minutes(minutes), remind_at: None }
}

#[test]
fn a_hold_ends_when_its_time_has_come_and_nobody_answered() {
    let after = |events: &[Event]| {
        given::<Waitee>(events.to_vec()).when(|waitee, now| decide(waitee, &Command::EndHold, now))
    };
    let told = || skipped(Skip::NoAddress); // by the host, across the room
    assert_eq!(after(&[joined_at(0), called_until(0), told()]), Ok(vec![Event::NoShow(Why::default())]));
    assert_eq!(after(&[joined_at(0), called_until(1), told()]), Ok(vec![]), "not yet");
    assert_eq!(after(&[joined_at(0), called_until(0)]), Ok(vec![]), "the message is still to be sent");
    assert_eq!(after(&[joined_at(0), called_until(0), skipped(Skip::Late)]), Ok(vec![]), "our fault");
    for answer in [
        Event::Confirmed(Why::default()),
        Event::Seated(Why::default()),
        Event::Restored(Why::default()),
        Event::Erased {},
    ] {
        assert_eq!(after(&[joined_at(0), called_until(0), told(), answer]), Ok(vec![]));
    }
    assert_eq!(after(&[joined_at(0), called_until(0), told(), called_until(5)]), Ok(vec![]), "called again");
    assert_eq!(after(&[]), Err(Refusal::NotFound));
}

#[test]
fn a_visit_ends_after_a_day_and_is_not_restored() {
    let expire = Command::Expire(because());
    assert_eq!(a_day_later(&[joined_at(0)], &expire), Ok(vec![Event::Removed(because())]));
    assert_eq!(a_day_later(&[joined_at(0), Event::Seated(Why::default())], &expire), Ok(vec![]));
    assert_eq!(
        given::<Waitee>(vec![joined_at(0)]).when(|waitee, now| decide(waitee, &expire, now)),
        Ok(vec![]),
        "not yet"
    );
    let list = Waitlist::Kept(LIST_OPEN.clone());
    let restore = Command::Restore { list: list.clone(), why: Why::default() };
    let left = [joined_at(0), Event::Left(Why::default())];
    assert_eq!(a_day_later(&left, &restore), Err(Refusal::Over(State::Left)));
    assert_eq!(
        a_day_later(&left, &Command::Call { list }),
        Err(Refusal::Over(State::Left)),
        "nothing is allowed any more"
    );
}

#[test]
fn who_is_left_on_a_list_that_is_gone_goes_too() {
    let clear = |list: Waitlist| Command::Clear { list, why: because() };
    let after = |events: &[Event], list: Waitlist| {
        given::<Waitee>(events.to_vec()).when(|waitee, now| decide(waitee, &clear(list.clone()), now))
    };
    assert_eq!(after(&[joined_at(0)], Waitlist::Deleted), Ok(vec![Event::Removed(because())]));
    assert_eq!(after(&[joined_at(0)], Waitlist::Kept(LIST_OPEN.clone())), Ok(vec![]));
    assert_eq!(after(&[joined_at(0), Event::Left(Why::default())], Waitlist::Deleted), Ok(vec![]));
}
