//! The declarations of query parameters.

use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::{
    Actor, StreamId, WaitlistId,
    body::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, event_types},
    check::CORRELATION_CHARS_MAX,
    id::Category,
    parameter::Parameter,
};

impl Parameter {
    /// The name of the shared parameter.
    pub(super) fn key(self) -> String {
        format!("{self:?}")
    }

    /// Description, schema and example.
    fn describe(self) -> (&'static str, Value, Value) {
        let time = || json!({ "type": "string", "format": "date-time" });
        match self {
            Self::Limit => (
                "The most entries of the page.",
                json!({ "type": "integer", "minimum": 1, "maximum": PAGE_ITEMS_MAX, "default": PAGE_ITEMS_DEFAULT }),
                json!(PAGE_ITEMS_DEFAULT),
            ),
            Self::Cursor => (
                "The `next` of the page before.",
                json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" }),
                json!("YjAxOTIwMDAw"),
            ),
            Self::Day => (
                "A business day in the list's time zone.",
                json!({ "type": "string", "format": "date" }),
                json!("2026-11-20"),
            ),
            Self::AsOf => (
                "Shows what was recorded up to this time, which must be at least ten seconds ago.",
                time(),
                json!("2026-11-21T03:10:00Z"),
            ),
            Self::From => ("Events from this time on.", time(), json!("2026-11-21T00:00:00Z")),
            Self::To => ("Events before this time.", time(), json!("2026-11-22T00:00:00Z")),
            Self::Actor => (
                "Events that this person or component caused.",
                schema_of::<Actor>(),
                json!("user:01920000-0000-7000-8000-00000000000a"),
            ),
            Self::Action => ("Events of this type or category.", actions(), json!("waitee.*")),
            Self::Target => (
                "Events of this stream.",
                schema_of::<StreamId>(),
                json!("waitee-01920000-0000-7000-8000-000000000002"),
            ),
            Self::Stream => (
                "This stream alone.",
                schema_of::<StreamId>(),
                json!("waitee-01920000-0000-7000-8000-000000000002"),
            ),
            Self::Waitlist => (
                "This list and its visits.",
                schema_of::<WaitlistId>(),
                json!("01920000-0000-7000-8000-000000000001"),
            ),
            Self::Correlation => (
                "Events that this request led to, by its `X-Request-Id`.",
                json!({ "type": "string", "minLength": 1, "maxLength": CORRELATION_CHARS_MAX, "pattern": "^[!-~]+$" }),
                json!("01920000-0000-7000-8000-0000000000fe"),
            ),
            Self::Order => (
                "Oldest or newest first.",
                json!({ "type": "string", "enum": ["asc", "desc"], "default": "desc" }),
                json!("asc"),
            ),
            Self::Format => (
                "The format of the file: a JSON object on each line, or CSV.",
                json!({ "type": "string", "enum": ["ndjson", "csv"], "default": "ndjson" }),
                json!("csv"),
            ),
        }
    }
}

/// The shared query parameters, by name.
pub(super) fn parameters() -> impl Iterator<Item = (String, Value)> {
    Parameter::ALL.into_iter().map(|parameter| {
        let (about, schema, example) = parameter.describe();
        let declared =
            json!({ "name": parameter.name(), "in": "query", "description": about, "schema": schema, "example": example });
        (parameter.key(), declared)
    })
}

fn schema_of<T: JsonSchema>() -> Value {
    T::json_schema(&mut schemars::SchemaGenerator::default()).to_value()
}

/// The types of events, and a word for each category.
fn actions() -> Value {
    let categories = Category::ALL.map(|category| format!("{}.*", category.as_str()));
    let types = event_types().into_iter().map(str::to_owned);
    json!({ "type": "string", "enum": types.chain(categories).collect::<Vec<_>>() })
}
