//! The fold of one account into its row.

use schema::{
    Fact, UserId,
    agenda::Agenda,
    table::due_in,
    user::{Event, Registered},
};

use super::{State, UserRow, Users};
use crate::projection::Projection;

impl Projection for Users {
    type Event = Event;
    type Row = UserRow;

    const NAME: &'static str = "users";
    const VERSION: u32 = 3;

    fn project(row: Option<UserRow>, fact: &Fact<Event>) -> Option<UserRow> {
        let mut row = match &fact.event {
            Event::Registered(registered) => begin(registered, fact),
            _ => row?,
        };
        row.seq = fact.seq;
        row.v = Self::VERSION;
        match &fact.event {
            Event::Renamed { name } => row.name = name.clone(),
            Event::EmailConfirmed {} => row.confirmed = true,
            Event::OperatorGranted {} => row.operator = true,
            Event::OperatorRevoked {} => row.operator = false,
            Event::Erased {} => row.state = State::Erased,
            Event::Forgotten {} => row.state = State::Forgotten,
            Event::Registered(_) | Event::PasswordChanged { .. } | Event::TextsCapped { .. } => {}
        }
        row.agenda = row.agenda.of_account(fact);
        row.due_at = row.agenda.sought_at();
        row.due_in = row.due_at.map(|_| due_in(row.id.0));
        Some(row)
    }
}

fn begin(registered: &Registered, fact: &Fact<Event>) -> UserRow {
    UserRow {
        id: UserId(fact.stream.id),
        seq: fact.seq,
        v: Users::VERSION,
        tenant: fact.tenant,
        name: registered.name.clone(),
        email: registered.email.clone(),
        confirmed: false,
        operator: false,
        registered_at: fact.at,
        state: State::Kept,
        agenda: Agenda::default(),
        due_in: None,
        due_at: None,
    }
}
