//! The fold of one visit into its row.

use schema::{
    Fact, Time, WaiteeId,
    agenda::Agenda,
    table::{BoardKeys, DayKeys, WaiteeRow},
    waitee::{Event, State},
};

use super::Waitees;
use crate::projection::Projection;

impl Projection for Waitees {
    type Event = Event;
    type Row = WaiteeRow;

    const VERSION: u32 = 3;

    fn begin(fact: &Fact<Event>) -> Option<WaiteeRow> {
        let Event::Joined(joined) = &fact.event else { return None };
        let id = WaiteeId(fact.stream.id);
        Some(WaiteeRow {
            id,
            seq: fact.seq,
            v: Self::VERSION,
            tenant: fact.tenant,
            waitlist: joined.waitlist,
            party: joined.party.clone(),
            state: State::Waiting,
            rank: joined.rank.clone(),
            day: joined.day,
            joined_at: fact.at,
            calls: 0,
            called_at: None,
            hold_until: None,
            confirmed_at: None,
            finished_at: None,
            by: joined.by,
            erased: false,
            agenda: Agenda::default(),
            day_keys: DayKeys::new(joined.waitlist, joined.day, fact.at, id),
            board_keys: None,
            due: None,
        })
    }

    fn apply(row: &mut WaiteeRow, fact: &Fact<Event>) {
        match &fact.event {
            Event::Joined(_) | Event::Notification(_) => {}
            Event::DetailsChanged(details) => row.party = row.party.clone().apply(details),
            Event::Called { .. } => {
                row.state = State::Called;
                row.calls += 1;
                row.called_at = Some(fact.at);
            }
            Event::Confirmed(_) => {
                row.state = State::Confirmed;
                row.confirmed_at = Some(fact.at);
            }
            Event::Seated(_) => finish(row, State::Seated, fact.at),
            Event::Left(_) => finish(row, State::Left, fact.at),
            Event::Removed(_) => finish(row, State::Removed, fact.at),
            Event::NoShow(_) => finish(row, State::NoShow, fact.at),
            Event::Restored(_) => {
                row.state = State::Waiting;
                row.confirmed_at = None;
                row.finished_at = None;
            }
            Event::Moved { rank, .. } => row.rank = rank.clone(),
            // Nothing of the guest is shown from the erasure on, even while the key still exists.
            Event::Erased {} | Event::Forgotten {} => row.erased = true,
        }
        row.agenda = std::mem::take(&mut row.agenda).of_visit(fact);
        row.hold_until = row.agenda.hold.map(|hold| hold.until);
        row.board_keys = row.state.is_active().then(|| BoardKeys::new(row.waitlist, &row.rank, row.id));
    }

    fn due_at(row: &WaiteeRow, _: &Fact<Event>) -> Option<Time> {
        row.agenda.sought_at()
    }
}

fn finish(row: &mut WaiteeRow, state: State, at: Time) {
    row.state = state;
    row.finished_at = Some(at);
}
