//! Decisions about a visit. Each group of commands has a file: those of hosts, guests, the tick and erasure.
//! Joining is here.

mod erasure;
mod guest;
mod host;
mod tick;

use schema::{
    Rank, Time, WaitlistId,
    waitee::{Event, Joined, JoinedBy, Party},
    waitlist,
};

pub use self::{erasure::ErasureCommand, guest::GuestCommand, host::HostCommand, tick::TickCommand};
use super::{Refusal, Waitee, deliver::deliver};
use crate::{Decider, delivery, waitlist::Waitlist};

#[derive(Clone, Debug)]
pub enum Command {
    Join(Join),
    Host(HostCommand),
    Guest(GuestCommand),
    Tick(TickCommand),
    Erasure(ErasureCommand),
    /// Records a step of the delivery of a message to the guest.
    Deliver(delivery::Command),
}

/// Puts a party on a list.
#[derive(Clone, Debug)]
pub struct Join {
    pub id: WaitlistId,
    /// The list as the log has it.
    pub list: Waitlist,
    /// The number of parties on its board, from the rows.
    pub active: usize,
    pub party: Party,
    pub by: JoinedBy,
}

impl Decider for Waitee {
    type Command = Command;
    type Refusal = Refusal;

    fn decide(&self, command: &Command, now: Time) -> Result<Vec<Event>, Refusal> {
        match (command, &self.0) {
            (Command::Join(join), None) => Ok(vec![Event::Joined(joined(join, now)?)]),
            (Command::Join(_), Some(_)) | (Command::Deliver(_), None) => Ok(vec![]),
            (Command::Host(_) | Command::Guest(_) | Command::Tick(_) | Command::Erasure(_), None) => {
                Err(Refusal::NotFound)
            }
            (Command::Host(command), Some(visit)) => host::decide(visit, command, now),
            (Command::Guest(command), Some(visit)) => guest::decide(visit, *command, now),
            (Command::Tick(command), Some(visit)) => Ok(tick::decide(visit, command, now)),
            (Command::Erasure(command), Some(visit)) => Ok(erasure::decide(visit, *command)),
            (Command::Deliver(command), Some(visit)) => Ok(deliver(visit, command, now)),
        }
    }
}

/// Whether a list with `active` parties takes one more.
pub(super) fn admit(list: &Waitlist, active: usize) -> Result<&waitlist::State, Refusal> {
    let Waitlist::Kept(state) = list else { return Err(Refusal::NotFound) };
    let capacity = state.settings.capacity.get();
    if !state.open {
        return Err(Refusal::ListClosed);
    }
    if active >= capacity as usize { Err(Refusal::ListFull(capacity)) } else { Ok(state) }
}

fn joined(join: &Join, now: Time) -> Result<Joined, Refusal> {
    let settings = &admit(&join.list, join.active)?.settings;
    Ok(Joined {
        waitlist: join.id,
        party: Party {
            quoted_minutes: join.party.quoted_minutes.or_else(|| settings.quote(join.active)),
            ..join.party.clone()
        },
        day: settings.time_zone.business_day(now, settings.day_starts),
        rank: Rank::joining(now),
        by: join.by,
    })
}

#[cfg(test)]
mod tests {
    use schema::{
        value::{QuoteMinutes, Zone},
        waitlist::State as List,
    };
    use uuid::Uuid;

    use super::*;
    use crate::spec::{
        LIST_OPEN, at, given,
        visits::{list, list_with, party},
    };

    fn join(list: Waitlist, active: usize) -> Join {
        Join { id: WaitlistId(Uuid::nil()), list, active, party: party(), by: JoinedBy::Host }
    }

    fn joined(join: Join) -> Joined {
        match &given([]).when(join).events()[..] {
            [Event::Joined(joined)] => joined.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_party_joins_at_the_end_of_the_line_on_the_lists_own_day() {
        let joined = joined(join(list(), 3));
        assert_eq!(joined.rank, Rank::joining(at(0)));
        let los_angeles: Zone = "America/Los_Angeles".parse().unwrap();
        assert_eq!(joined.day, los_angeles.business_day(at(0), "04:00".parse().unwrap()));
        assert_eq!(joined.party.quoted_minutes, None);
    }

    #[test]
    fn the_quote_is_the_lists_per_party_ahead_unless_the_host_names_another() {
        let quoted = |active, own: Option<i64>| {
            let mut join = join(list_with(r#"{"quote_minutes": 7}"#), active);
            join.party.quoted_minutes = own.map(|own| QuoteMinutes::parse(own).unwrap());
            joined(join).party.quoted_minutes.map(QuoteMinutes::get)
        };
        assert_eq!(quoted(3, None), Some(21));
        assert_eq!(quoted(0, None), Some(0));
        assert_eq!(quoted(3, Some(5)), Some(5));
        assert_eq!(quoted(150, None), Some(600));
    }

    #[test]
    fn a_list_that_is_closed_full_or_deleted_takes_no_party() {
        let closed = Waitlist::Kept(List { open: false, ..LIST_OPEN.clone() });
        let of_two = || list_with(r#"{"capacity": 2}"#);
        given([]).when(join(closed, 0)).then_refused(Refusal::ListClosed);
        given([]).when(join(of_two(), 2)).then_refused(Refusal::ListFull(2));
        assert!(given([]).when(join(of_two(), 1)).is_accepted());
        given([]).when(join(Waitlist::Deleted, 0)).then_refused(Refusal::NotFound);
    }

    #[test]
    fn a_party_joins_once() {
        given([crate::spec::visits::joined()]).when(join(list(), 0)).then_nothing();
    }
}
