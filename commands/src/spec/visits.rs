//! Events, commands, lists and states that the tests of visits share.

use schema::{
    Rank, Time, WaiteeId, WaitlistId,
    body::{ChangeWaitlist, MoveTo},
    check,
    value::PartySize,
    waitee::{Details, Event, Joined, JoinedBy, Party, State, Why},
    waitlist,
};
use uuid::Uuid;

use super::{LIST_OPEN, at, sealed};
use crate::{
    waitee::{HostCommand, Target},
    waitlist::Waitlist,
};

/// A party of four without a phone or an e-mail address.
pub(crate) fn party() -> Party {
    Party::new(sealed(), PartySize::parse(4).unwrap())
}

/// The party joined a minute ago.
pub(crate) fn joined() -> Event {
    Event::Joined(Joined {
        waitlist: WaitlistId(Uuid::nil()),
        party: party(),
        day: "2026-11-20".parse().unwrap(),
        rank: Rank::joining(at(-60_000)),
        by: JoinedBy::Host,
    })
}

/// The party was called, and its hold runs out now.
pub(crate) fn called() -> Event {
    called_until(0)
}

/// The party was called, and its table is held until so many minutes from now.
pub(crate) fn called_until(minutes: i64) -> Event {
    Event::Called { hold_until: at(minutes * 60_000), remind_at: None }
}

/// A reason for a transition.
pub(crate) fn because() -> Why {
    Why { reason: Some(sealed()) }
}

/// A transition without a reason.
pub(crate) fn why() -> Why {
    Why::default()
}

pub(crate) const STATES: [State; 7] = [
    State::Waiting,
    State::Called,
    State::Confirmed,
    State::Seated,
    State::Left,
    State::Removed,
    State::NoShow,
];

/// The events that lead to each state.
pub(crate) fn leading_to(state: State) -> Vec<Event> {
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

pub(crate) fn list() -> Waitlist {
    Waitlist::Kept(LIST_OPEN.clone())
}

/// A list with these changes of its settings.
pub(crate) fn list_with(json: &str) -> Waitlist {
    let patch: ChangeWaitlist = check::json(json.as_bytes()).unwrap();
    let settings = patch.apply(&LIST_OPEN.settings).unwrap();
    Waitlist::Kept(waitlist::State { settings, ..LIST_OPEN.clone() })
}

/// A party on the list at the place of this time, and the party next to it.
pub(crate) fn target(at_ms: i64, neighbour_ms: Option<i64>) -> Target {
    let rank = |ms| Rank::joining(Time::from_millis(ms));
    Target {
        waitlist: WaitlistId(Uuid::nil()),
        active: true,
        rank: rank(at_ms),
        neighbour: neighbour_ms.map(rank),
    }
}

pub(crate) fn move_next_to(beside: fn(WaiteeId) -> MoveTo, target: Option<Target>) -> HostCommand {
    HostCommand::Move { beside: beside(WaiteeId(Uuid::nil())), target, reason: None }
}

pub(crate) fn change_size(size: i64) -> (Details, HostCommand) {
    let details = Details { party_size: PartySize::parse(size).ok(), ..Details::default() };
    (details.clone(), HostCommand::Change(details))
}

pub(crate) fn call() -> HostCommand {
    HostCommand::Call { list: list() }
}

pub(crate) fn restore() -> HostCommand {
    HostCommand::Restore { list: list(), why: why() }
}

/// The transitions of hosts, as the contract names them.
pub(crate) fn transitions() -> [(&'static str, HostCommand); 8] {
    [
        ("call", call()),
        ("confirm", HostCommand::Confirm(why())),
        ("seat", HostCommand::Seat(why())),
        ("no-show", HostCommand::NoShow(why())),
        ("leave", HostCommand::Leave(why())),
        ("remove", HostCommand::Remove(why())),
        ("restore", restore()),
        ("move", move_next_to(MoveTo::Before, Some(target(5, None)))),
    ]
}

/// Every command of a host, and restoring to a deleted list.
pub(crate) fn host_commands() -> Vec<HostCommand> {
    let restore = HostCommand::Restore { list: Waitlist::Deleted, why: why() };
    let transitions = transitions().map(|(_, command)| command);
    transitions.into_iter().chain([restore, change_size(4).1]).collect()
}
