//! The fold of one account into its row.

use schema::{
    Fact, Time, UserId,
    agenda::Agenda,
    table::{UserRow, users::State},
    user::Event,
};

use super::Users;
use crate::projection::Projection;

impl Projection for Users {
    type Event = Event;
    type Row = UserRow;

    const VERSION: u32 = 3;

    fn begin(fact: &Fact<Event>) -> Option<UserRow> {
        let Event::Registered(registered) = &fact.event else { return None };
        Some(UserRow {
            id: UserId(fact.stream.id),
            seq: fact.seq,
            v: Self::VERSION,
            tenant: fact.tenant,
            name: registered.name.clone(),
            email: registered.email.clone(),
            confirmed: false,
            operator: false,
            registered_at: fact.at,
            state: State::Kept,
            agenda: Agenda::default(),
            due: None,
        })
    }

    fn apply(row: &mut UserRow, fact: &Fact<Event>) {
        match &fact.event {
            Event::Renamed { name } => row.name = name.clone(),
            Event::EmailConfirmed {} => row.confirmed = true,
            Event::OperatorGranted {} => row.operator = true,
            Event::OperatorRevoked {} => row.operator = false,
            Event::Erased {} => row.state = State::Erased,
            Event::Forgotten {} => row.state = State::Forgotten,
            Event::Registered(_) | Event::PasswordChanged { .. } | Event::TextsCapped { .. } => {}
        }
        row.agenda = std::mem::take(&mut row.agenda).of_account(fact);
    }

    fn due_at(row: &UserRow, _: &Fact<Event>) -> Option<Time> {
        row.agenda.sought_at()
    }
}
