//! Decisions on the commands of hosts.

use schema::{
    Sealed, Time,
    body::MoveTo,
    value::Reason,
    waitee::{Details, Event, State, Why},
};

use crate::{
    waitee::{
        Refusal, Visit,
        place::{Target, place},
    },
    waitlist::Waitlist,
};

/// A host's command on a visit. Lists in it are as the log has them.
#[derive(Clone, Debug)]
pub enum HostCommand {
    /// Changes the party's details.
    Change(Details),
    /// Tells the guest that the table is ready, and holds it.
    Call {
        list: Waitlist,
    },
    /// Records that the guest is coming.
    Confirm(Why),
    Seat(Why),
    NoShow(Why),
    /// Records that the guest left.
    Leave(Why),
    /// Takes the party off the list.
    Remove(Why),
    /// Puts the party back to its former place.
    Restore {
        list: Waitlist,
        why: Why,
    },
    /// Moves the party within the line.
    Move {
        beside: MoveTo,
        /// The party to move next to; `None` when there is no such party.
        target: Option<Target>,
        reason: Option<Sealed<Reason>>,
    },
}

pub(super) fn decide(visit: &Visit, command: &HostCommand, now: Time) -> Result<Vec<Event>, Refusal> {
    use HostCommand::{Call, Change, Confirm, Leave, Move, NoShow, Remove, Restore, Seat};
    if visit.erased {
        return Err(Refusal::Erased);
    }
    let active = visit.state.is_active();
    match command {
        Change(details) => {
            let changes = details.clone().differing_from(&visit.party);
            Ok(changes.map(Event::DetailsChanged).into_iter().collect())
        }
        Call { list } => match visit.state {
            State::Waiting | State::Called => Ok(vec![call(list, now)?]),
            State::Confirmed | State::Seated | State::Left | State::Removed | State::NoShow => {
                Err(not_now(visit, now))
            }
        },
        Confirm(_) if visit.state == State::Confirmed => Ok(vec![]),
        Confirm(why) if visit.state == State::Called => Ok(vec![Event::Confirmed(why.clone())]),
        Seat(_) if visit.state == State::Seated => Ok(vec![]),
        Seat(why) if active => Ok(vec![Event::Seated(why.clone())]),
        NoShow(_) if visit.state == State::NoShow => Ok(vec![]),
        NoShow(why) if active => Ok(vec![Event::NoShow(why.clone())]),
        Leave(_) if visit.state == State::Left => Ok(vec![]),
        Leave(why) if active => Ok(vec![Event::Left(why.clone())]),
        Remove(_) if visit.state == State::Removed => Ok(vec![]),
        Remove(why) if active => Ok(vec![Event::Removed(why.clone())]),
        Restore { .. } if visit.state == State::Waiting => Ok(vec![]),
        Restore { .. } if visit.is_over(now) => Err(Refusal::Over(visit.state)),
        Restore { list: Waitlist::Kept(_), why } => Ok(vec![Event::Restored(why.clone())]),
        Restore { list: Waitlist::None | Waitlist::Deleted, .. } => Err(Refusal::NotFound),
        Move { beside, target, reason } if active => {
            let rank = place(visit, *beside, target.as_ref(), now)?;
            Ok(rank.map(|rank| Event::Moved { rank, reason: reason.clone() }).into_iter().collect())
        }
        Confirm(_) | Seat(_) | NoShow(_) | Leave(_) | Remove(_) | Move { .. } => Err(not_now(visit, now)),
    }
}

fn not_now(visit: &Visit, now: Time) -> Refusal {
    if visit.is_over(now) && !visit.state.is_active() {
        Refusal::Over(visit.state)
    } else {
        Refusal::NotFrom(visit.state)
    }
}

fn call(list: &Waitlist, now: Time) -> Result<Event, Refusal> {
    let Waitlist::Kept(list) = list else { return Err(Refusal::NotFound) };
    let hold = list.settings.hold_minutes.get();
    let hold_until = now.plus_minutes(hold);
    let remind_at =
        list.settings.remind_minutes.map(|before| now.plus_minutes(hold.saturating_sub(before.get())));
    Ok(Event::Called { hold_until, remind_at })
}

#[cfg(test)]
mod tests;
