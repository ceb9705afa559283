//! The fold of one mail into its row.

use schema::{Fact, MailId, Time, agenda::Agenda, mail::Event, table::MailRow};

use super::Mails;
use crate::projection::Projection;

impl Projection for Mails {
    type Event = Event;
    type Row = MailRow;

    const VERSION: u32 = 1;

    fn begin(fact: &Fact<Event>) -> Option<MailRow> {
        let Event::Asked(asked) = &fact.event else { return None };
        let id = MailId(fact.stream.id);
        Some(MailRow {
            id,
            seq: fact.seq,
            v: Self::VERSION,
            tenant: fact.tenant,
            kind: asked.kind,
            asked_at: fact.at,
            agenda: Agenda::default(),
            confirms: asked.kind.confirms().then_some(fact.tenant),
            made: MailRow::made(fact.at, id),
            due: None,
        })
    }

    fn apply(row: &mut MailRow, fact: &Fact<Event>) {
        row.agenda = std::mem::take(&mut row.agenda).of_mail(fact);
    }

    fn due_at(row: &MailRow, _: &Fact<Event>) -> Option<Time> {
        row.agenda.sought_at()
    }
}
