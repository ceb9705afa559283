//! What may be done with a party, in which state.

use schema::{
    Rank, Sealed, Time,
    body::Beside,
    message::{self, Skip, Skipped},
    value::Reason,
    waitee::{Details, Event, Joined, JoinedBy, Party, State, Why},
    waitlist,
};

use super::{
    Refusal, Visit, Waitee,
    place::{Target, place},
};
use crate::waitlist::Waitlist;

/// What a host or guest wants.
#[derive(Clone, Debug)]
pub enum Command {
    /// Join a list.
    Join {
        /// Which.
        id: schema::WaitlistId,
        /// The list, from the log.
        list: Waitlist,
        /// How many parties are on its board, from the rows.
        active: usize,
        party: Party,
        /// Who puts them on.
        by: JoinedBy,
    },
    /// Correct what is known.
    Change(Details),
    /// The table is ready.
    Call {
        /// The list, from the log.
        list: Waitlist,
    },
    /// They are on their way.
    Confirm(Why),
    /// They sit.
    Seat(Why),
    /// They did not come.
    NoShow(Why),
    /// They went.
    Leave(Why),
    /// The host takes them off.
    Remove(Why),
    /// Back on the list, at the old place.
    Restore {
        /// The list, from the log.
        list: Waitlist,
        /// Why.
        why: Why,
    },
    /// Elsewhere in line.
    Move {
        /// Next to whom.
        beside: Beside,
        /// Where that is; nothing when there is no such party.
        target: Option<Target>,
        /// Why.
        reason: Option<Sealed<Reason>>,
    },
    /// The table was held for long enough.
    EndHold,
    /// The visit has lasted for too long.
    Expire(Why),
    /// The list is gone, and what was left on it goes too.
    Clear {
        /// The list, from the log.
        list: Waitlist,
        /// Why.
        why: Why,
    },
    /// Forget the guest, who leaves the board if they are on it.
    Erase,
    /// The guest's key is gone.
    Forget,
}

/// Whether a list takes one more party.
///
/// # Errors
/// It is gone, closed, or full.
pub fn admit(list: &Waitlist, active: usize) -> Result<&waitlist::State, Refusal> {
    let Waitlist::Kept(state) = list else { return Err(Refusal::NotFound) };
    let capacity = state.settings.capacity.get();
    if !state.open {
        return Err(Refusal::ListClosed);
    }
    if active >= capacity as usize { Err(Refusal::ListFull(capacity)) } else { Ok(state) }
}

/// Decides.
///
/// # Errors
/// The command is refused.
pub fn decide(waitee: &Waitee, command: &Command, now: Time) -> Result<Vec<Event>, Refusal> {
    let visit = match (&waitee.0, command) {
        (Some(_), Command::Join { .. }) => return Ok(vec![]),
        (None, Command::Join { id, list, active, party, by }) => {
            let list = admit(list, *active)?;
            return Ok(vec![Event::Joined(join(*id, list, *active, party, *by, now))]);
        }
        (None, _) => return Err(Refusal::NotFound),
        (Some(visit), _) => visit,
    };
    let active = visit.state.is_active();
    match command {
        Command::Join { .. } => Ok(vec![]),
        Command::Erase if visit.erased => Ok(vec![]),
        Command::Erase => Ok(erase(visit)),
        Command::Forget if visit.forgotten || !visit.erased => Ok(vec![]),
        Command::Forget => Ok(vec![Event::Forgotten {}]),
        Command::EndHold | Command::Expire(_) | Command::Clear { .. } if visit.erased || !active => {
            Ok(vec![])
        }
        Command::EndHold if visit.agenda.no_show_at().is_none_or(|at| now < at) => Ok(vec![]),
        Command::EndHold => Ok(vec![Event::NoShow(Why::default())]),
        Command::Expire(_) if !is_over(visit, now) => Ok(vec![]),
        Command::Clear { list: Waitlist::Kept(_) | Waitlist::None, .. } => Ok(vec![]),
        Command::Expire(why) | Command::Clear { why, .. } => Ok(vec![Event::Removed(why.clone())]),
        _ if visit.erased => Err(Refusal::Erased),
        Command::Change(details) => Ok(changed(visit, details).into_iter().collect()),
        Command::Call { list } => match visit.state {
            State::Waiting | State::Called => Ok(vec![call(list, now)?]),
            State::Confirmed | State::Seated | State::Left | State::Removed | State::NoShow => {
                Err(not_now(visit, now))
            }
        },
        Command::Confirm(_) if visit.state == State::Confirmed => Ok(vec![]),
        Command::Confirm(why) if visit.state == State::Called => Ok(vec![Event::Confirmed(why.clone())]),
        Command::Seat(_) if visit.state == State::Seated => Ok(vec![]),
        Command::Seat(why) if active => Ok(vec![Event::Seated(why.clone())]),
        Command::NoShow(_) if visit.state == State::NoShow => Ok(vec![]),
        Command::NoShow(why) if active => Ok(vec![Event::NoShow(why.clone())]),
        Command::Leave(_) if visit.state == State::Left => Ok(vec![]),
        Command::Leave(why) if active => Ok(vec![Event::Left(why.clone())]),
        Command::Remove(_) if visit.state == State::Removed => Ok(vec![]),
        Command::Remove(why) if active => Ok(vec![Event::Removed(why.clone())]),
        Command::Restore { .. } if visit.state == State::Waiting => Ok(vec![]),
        Command::Restore { .. } if is_over(visit, now) => Err(Refusal::Over(visit.state)),
        Command::Restore { list: Waitlist::Kept(_), why } => Ok(vec![Event::Restored(why.clone())]),
        Command::Restore { .. } => Err(Refusal::NotFound),
        Command::Move { beside, target, reason } if active => {
            let rank = place(visit, *beside, target.as_ref(), now)?;
            Ok(rank.map(|rank| Event::Moved { rank, reason: reason.clone() }).into_iter().collect())
        }
        Command::Confirm(_)
        | Command::Seat(_)
        | Command::NoShow(_)
        | Command::Leave(_)
        | Command::Remove(_)
        | Command::Move { .. } => Err(not_now(visit, now)),
    }
}

/// A guest who is erased leaves the board, and messages that were not sent end first: after the erasure no process looks at them.
fn erase(visit: &Visit) -> Vec<Event> {
    let skip = |message| message::Event::Skipped(Skipped { message, attempt: None, why: Skip::Erased });
    let skipped = visit.agenda.messages.unsent().map(skip).map(Event::Notification);
    let removed = visit.state.is_active().then(|| Event::Removed(Why::default()));
    skipped.chain(removed).chain([Event::Erased {}]).collect()
}

fn not_now(visit: &Visit, now: Time) -> Refusal {
    if is_over(visit, now) && !visit.state.is_active() {
        Refusal::Over(visit.state)
    } else {
        Refusal::NotFrom(visit.state)
    }
}

fn join(
    id: schema::WaitlistId,
    list: &waitlist::State,
    active: usize,
    party: &Party,
    by: JoinedBy,
    now: Time,
) -> Joined {
    let settings = &list.settings;
    Joined {
        waitlist: id,
        party: Party {
            quoted_minutes: party.quoted_minutes.or_else(|| settings.quote(active)),
            ..party.clone()
        },
        day: settings.time_zone.business_day(now, settings.day_starts),
        rank: Rank::joining(now),
        by,
    }
}

/// Whether a visit that began so long ago is over, whatever became of it.
fn is_over(visit: &Visit, now: Time) -> bool {
    visit.agenda.ends_at.is_some_and(|at| at <= now)
}

fn call(list: &Waitlist, now: Time) -> Result<Event, Refusal> {
    let Waitlist::Kept(list) = list else { return Err(Refusal::NotFound) };
    let hold = list.settings.hold_minutes.get();
    let hold_until = now.plus_minutes(hold);
    let remind_at =
        list.settings.remind_minutes.map(|before| now.plus_minutes(hold.saturating_sub(before.get())));
    Ok(Event::Called { hold_until, remind_at })
}

/// What really changes. Sealed values cannot be compared, so each of them counts as a change.
fn changed(visit: &Visit, details: &Details) -> Option<Event> {
    let party = &visit.party;
    let details = Details {
        party_size: details.party_size.filter(|size| *size != party.party_size),
        quoted_minutes: details.quoted_minutes.filter(|quoted| *quoted != party.quoted_minutes),
        language: details.language.filter(|language| *language != party.language),
        ..details.clone()
    };
    (details != Details::default()).then_some(Event::DetailsChanged(details))
}

#[cfg(test)]
mod tests;
