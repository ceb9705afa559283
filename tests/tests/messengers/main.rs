//! Mails by SES and texts by SNS: the meaning of every answer, on a simulated carrier; and real sends, on an
//! engine that has both.

mod answers;
mod engine;

use std::time::Duration;

use infra::messenger::{Mail, Tags, Text};
use schema::{
    StreamId, WaiteeId,
    value::{Email, Phone},
};

const PATIENT: Duration = Duration::from_secs(10);

fn tags() -> Tags {
    Tags {
        stream: StreamId::from(WaiteeId(uuid::Uuid::from_u128(7))),
        message: "table-ready-2".into(),
        kind: "table-ready",
    }
}

fn mail(to: &str) -> Mail {
    let (subject, text, html) = ("Su mesa está lista".into(), "Größe 🍜".into(), "<p>Größe 🍜</p>".into());
    Mail { to: Email::parse(to).unwrap(), subject, text, html, tags: tags() }
}

fn phone() -> Phone {
    Phone::parse("+14155552671", "US".parse().unwrap()).unwrap()
}

fn text(body: &str) -> Text {
    Text { to: phone(), body: body.into(), tags: tags() }
}
