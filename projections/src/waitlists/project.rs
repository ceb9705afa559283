//! The fold of one list into its row.

use schema::{Fact, Time, WaitlistId, table::WaitlistRow, waitlist::Event};

use super::Waitlists;
use crate::projection::Projection;

impl Projection for Waitlists {
    type Event = Event;
    type Row = WaitlistRow;

    const VERSION: u32 = 3;

    fn begin(fact: &Fact<Event>) -> Option<WaitlistRow> {
        let Event::Created(list) = &fact.event else { return None };
        let id = WaitlistId(fact.stream.id);
        Some(WaitlistRow {
            id,
            seq: fact.seq,
            v: Self::VERSION,
            tenant: fact.tenant,
            list: list.clone(),
            owner: Some(fact.tenant),
            made: WaitlistRow::made(list.created_at, id),
            due: None,
        })
    }

    fn apply(row: &mut WaitlistRow, fact: &Fact<Event>) {
        row.list = fact.event.state().clone();
        if is_deleted(fact) {
            row.owner = None;
        }
    }

    fn due_at(_: &WaitlistRow, fact: &Fact<Event>) -> Option<Time> {
        is_deleted(fact).then_some(fact.at)
    }
}

fn is_deleted(fact: &Fact<Event>) -> bool {
    matches!(fact.event, Event::Deleted(_))
}
