//! The fold of one mail into its row.

use schema::{
    Fact, MailId,
    agenda::Agenda,
    mail::{Asked, Event},
    table::due_in,
};

use super::{MailRow, Mails};
use crate::projection::Projection;

impl Projection for Mails {
    type Event = Event;
    type Row = MailRow;

    const NAME: &'static str = "mails";
    const VERSION: u32 = 1;

    fn project(row: Option<MailRow>, fact: &Fact<Event>) -> Option<MailRow> {
        let mut row = match &fact.event {
            Event::Asked(asked) => begin(asked, fact),
            Event::Message(_) => row?,
        };
        row.seq = fact.seq;
        row.v = Self::VERSION;
        row.agenda = row.agenda.of_mail(fact);
        row.due_at = row.agenda.sought_at();
        row.due_in = row.due_at.map(|_| due_in(row.id.0));
        Some(row)
    }
}

fn begin(asked: &Asked, fact: &Fact<Event>) -> MailRow {
    let id = MailId(fact.stream.id);
    MailRow {
        id,
        seq: fact.seq,
        v: Mails::VERSION,
        tenant: fact.tenant,
        kind: asked.kind,
        asked_at: fact.at,
        agenda: Agenda::default(),
        confirms: asked.kind.confirms().then_some(fact.tenant),
        made: format!("{}#{id}", fact.at),
        due_in: None,
        due_at: None,
    }
}
