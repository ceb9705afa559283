#![expect(unreachable_pub, reason = "the macro makes a public enum, as the categories need it")]

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::DomainEvent as _;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seated {
    table: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Deserialize)]
struct SeatedV1 {
    table: String,
}

impl Seated {
    fn from_v1(SeatedV1 { table }: SeatedV1) -> Self {
        Self { table: table.parse().unwrap_or_default(), note: None }
    }
}

super::events! {
    /// One event of every form that a declaration can have.
    Waitee;
    "waitee.seated" v2 from { 1 => Seated::from_v1, } => Seated(Seated),
    "waitee.called" v1 => Called {
        hold: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remind: Option<u32>,
    },
    "waitee.left" v1 => Left {},
    message Notification {
        "waitee.notification-started" v1 => Started,
        "waitee.notification-sent" v1 => Sent,
        "waitee.notification-failed" v1 => Failed,
        "waitee.notification-skipped" v1 => Skipped,
        "waitee.notification-bounced" v1 => Bounced,
    }
}

fn read(kind: &str, v: u32, data: &str) -> Option<serde_json::Result<Event>> {
    Event::read(kind, v, &RawValue::from_string(data.to_owned()).unwrap())
}

#[test]
fn an_event_is_written_as_it_was_read() {
    let skipped = r#"{"message":"reminder-2","why":"late"}"#;
    for (kind, data) in [
        ("waitee.seated", r#"{"table":7}"#),
        ("waitee.called", r#"{"hold":10,"remind":3}"#),
        ("waitee.called", r#"{"hold":10}"#),
        ("waitee.left", "{}"),
        ("waitee.notification-skipped", skipped),
    ] {
        let v = Event::TYPES.iter().find(|(name, _)| *name == kind).unwrap().1;
        let event = read(kind, v, data).unwrap().unwrap();
        assert_eq!(event.stored_type(), (kind, v));
        assert_eq!(serde_json::to_string(&event).unwrap(), data);
    }
    assert_eq!(Event::TYPES.len(), 8);
}

#[test]
fn an_older_version_is_upgraded_and_an_unknown_version_is_not_read() {
    let seated = Event::Seated(Seated { table: 7, note: None });
    assert_eq!(read("waitee.seated", 1, r#"{"table":"7"}"#).unwrap().unwrap(), seated);
    assert_eq!(seated.stored_type(), ("waitee.seated", 2));
    for (kind, v) in [("waitee.seated", 3), ("waitee.called", 2), ("waitee.flew", 1)] {
        assert!(read(kind, v, "{}").is_none(), "{kind} v{v}");
    }
}

#[test]
fn data_of_another_shape_is_an_error() {
    assert!(read("waitee.called", 1, r#"{"hold":"ten"}"#).unwrap().is_err());
}
