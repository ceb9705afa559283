use schema::{Rank, WaitlistId, value::PartySize};
use uuid::Uuid;

use super::{HostCommand::*, *};
use crate::{
    spec::{
        NOW_MS, at, given,
        visits::{
            STATES, because, call, called, change_size, joined, leading_to, list_with, move_next_to, restore,
            target, transitions, why,
        },
    },
    waitee::refusal::allowed,
};

#[test]
fn a_call_holds_the_table_and_sets_the_reminder() {
    let list = list_with(r#"{"hold_minutes": 15, "remind_minutes": 5}"#);
    let (hold_until, remind_at) = (at(15 * 60_000), Some(at(10 * 60_000)));
    given([joined()]).when(Call { list }).then([Event::Called { hold_until, remind_at }]);
}

#[test]
fn a_called_party_is_called_again() {
    assert!(given([joined(), called()]).when(call()).is_accepted());
}

#[test]
fn an_active_party_may_be_seated_leave_be_removed_or_not_show_up() {
    for state in STATES.into_iter().filter(|state| state.is_active()) {
        given(leading_to(state)).when(Seat(because())).then([Event::Seated(because())]);
        given(leading_to(state)).when(Leave(why())).then([Event::Left(why())]);
        given(leading_to(state)).when(Remove(why())).then([Event::Removed(why())]);
        given(leading_to(state)).when(NoShow(why())).then([Event::NoShow(why())]);
    }
}

#[test]
fn only_a_called_party_confirms() {
    for state in STATES {
        let then = given(leading_to(state)).when(Confirm(why()));
        match state {
            State::Called => then.then([Event::Confirmed(why())]),
            State::Confirmed => then.then_nothing(),
            State::Waiting | State::Seated | State::Left | State::Removed | State::NoShow => {
                then.then_refused(Refusal::NotFrom(state));
            }
        }
    }
}

#[test]
fn every_state_but_waiting_is_restored() {
    given([joined()]).when(restore()).then_nothing();
    for state in STATES.into_iter().filter(|state| *state != State::Waiting) {
        given(leading_to(state)).when(restore()).then([Event::Restored(why())]);
    }
}

#[test]
fn no_party_is_restored_to_a_deleted_list() {
    let restore = Restore { list: Waitlist::Deleted, why: why() };
    given(leading_to(State::Left)).when(restore).then_refused(Refusal::NotFound);
}

#[test]
fn a_repeated_transition_has_no_events() {
    given(leading_to(State::Seated)).when(Seat(because())).then_nothing();
    given(leading_to(State::Left)).when(Leave(why())).then_nothing();
    given(leading_to(State::Removed)).when(Remove(why())).then_nothing();
    given(leading_to(State::NoShow)).when(NoShow(why())).then_nothing();
}

#[test]
fn a_refusal_names_exactly_the_transitions_that_the_state_allows() {
    for state in STATES {
        let accepted = transitions().into_iter().filter_map(|(name, command)| {
            given(leading_to(state)).when(command).is_accepted().then_some(name)
        });
        assert_eq!(accepted.collect::<Vec<_>>(), allowed(state), "{state:?}");
    }
}

#[test]
fn a_party_that_never_joined_is_not_found() {
    for command in [Seat(why()), call(), change_size(4).1, restore()] {
        given([]).when(command).then_refused(Refusal::NotFound);
    }
}

#[test]
fn details_that_stay_the_same_are_no_event() {
    let party_size = PartySize::parse(4).ok();
    let same = Details { party_size, quoted_minutes: Some(None), ..Details::default() };
    given([joined()]).when(Change(same)).then_nothing();
    let (bigger, change) = change_size(5);
    given([joined()]).when(change).then([Event::DetailsChanged(bigger)]);
}

/// The rank that the party gets when it is moved.
fn moved(beside: fn(schema::WaiteeId) -> MoveTo, target: Target) -> Rank {
    match &given([joined()]).when(move_next_to(beside, Some(target))).events()[..] {
        [Event::Moved { rank, .. }] => rank.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_moved_party_stands_strictly_between_its_new_neighbours() {
    let rank = moved(MoveTo::Before, target(5_000, Some(4_000)));
    assert!(rank > target(4_000, None).rank && rank < target(5_000, None).rank);
    assert!(moved(MoveTo::Before, target(5_000, None)) < target(5_000, None).rank);
}

#[test]
fn a_party_that_joins_later_stands_behind_a_party_moved_to_the_end() {
    let last = moved(MoveTo::After, target(NOW_MS - 1_000, None));
    assert!(last > target(NOW_MS - 1_000, None).rank && last < Rank::joining(at(1)));
}

#[test]
fn a_party_that_already_stands_there_is_not_moved() {
    given([joined()]).when(move_next_to(MoveTo::After, Some(target(NOW_MS - 120_000, None)))).then_nothing();
}

#[test]
fn a_party_is_moved_only_next_to_parties_on_the_same_board() {
    let elsewhere = Target { waitlist: WaitlistId(Uuid::max()), ..target(5_000, None) };
    let gone = Target { active: false, ..target(5_000, None) };
    for target in [Some(elsewhere), Some(gone), None] {
        given([joined()]).when(move_next_to(MoveTo::Before, target)).then_refused(Refusal::NotOnBoard);
    }
    given(leading_to(State::Left))
        .when(move_next_to(MoveTo::After, Some(target(1, None))))
        .then_refused(Refusal::NotFrom(State::Left));
}
