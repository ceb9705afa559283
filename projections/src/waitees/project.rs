//! The fold of one visit into its row.

use schema::{
    Fact, WaiteeId,
    agenda::Agenda,
    table::due_in,
    waitee::{Event, Joined, State},
};

use super::{WaiteeRow, Waitees};
use crate::projection::Projection;

impl Projection for Waitees {
    type Event = Event;
    type Row = WaiteeRow;

    const NAME: &'static str = "waitees";
    const VERSION: u32 = 3;

    fn project(row: Option<WaiteeRow>, fact: &Fact<Event>) -> Option<WaiteeRow> {
        let mut row = match &fact.event {
            Event::Joined(joined) => begin(joined, fact),
            _ => row?,
        };
        row.seq = fact.seq;
        row.v = Self::VERSION;
        match &fact.event {
            Event::Joined(_) => {}
            Event::DetailsChanged(details) => row.party = row.party.apply(details),
            Event::Called { .. } => {
                row.state = State::Called;
                row.calls += 1;
                row.called_at = Some(fact.at);
            }
            Event::Confirmed(_) => {
                row.state = State::Confirmed;
                row.confirmed_at = Some(fact.at);
            }
            Event::Seated(_) => finish(&mut row, State::Seated, fact),
            Event::Left(_) => finish(&mut row, State::Left, fact),
            Event::Removed(_) => finish(&mut row, State::Removed, fact),
            Event::NoShow(_) => finish(&mut row, State::NoShow, fact),
            Event::Restored(_) => {
                row.state = State::Waiting;
                row.confirmed_at = None;
                row.finished_at = None;
            }
            Event::Moved { rank, .. } => row.rank = rank.clone(),
            // Nothing of the guest is shown from here on, though the key may stand for moments.
            Event::Erased {} | Event::Forgotten {} => row.erased = true,
            Event::Notification(_) => {}
        }
        row.agenda = row.agenda.of_visit(fact);
        row.hold_until = row.agenda.hold.map(|hold| hold.until);
        row.due_at = row.agenda.sought_at();
        row.due_in = row.due_at.map(|_| due_in(row.id.0));
        let active = row.state.is_active();
        row.board = active.then_some(row.waitlist);
        row.place = active.then(|| format!("{}#{}", row.rank.as_str(), row.id));
        Some(row)
    }
}

fn begin(joined: &Joined, fact: &Fact<Event>) -> WaiteeRow {
    let id = WaiteeId(fact.stream.id);
    WaiteeRow {
        id,
        seq: fact.seq,
        v: Waitees::VERSION,
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
        due_in: None,
        due_at: None,
        board: None,
        place: None,
        list_day: format!("{}#{}", joined.waitlist, joined.day),
        arrival: format!("{}#{id}", fact.at),
    }
}

fn finish(row: &mut WaiteeRow, state: State, fact: &Fact<Event>) {
    row.state = state;
    row.finished_at = Some(fact.at);
}
