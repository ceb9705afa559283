//! Schemas of texts, telephone numbers, languages and bounded numbers.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{
    Bounded, Language, ListName, NAME_CHARS_MAX, NOTE_CHARS_MAX, Name, Note, Phone, REASON_CHARS_MAX, Reason,
    Region, phone::PHONE_CHARS_MAX, text,
};
use crate::described::described;

described!(Name, {
    "description": "The name of a person. It must not read as a web address; spaces around it are not counted and not kept.",
    "type": "string",
    "minLength": 1,
    "maxLength": NAME_CHARS_MAX,
    "pattern": text::name_pattern(),
    "examples": ["Ana Maria"],
});

described!(ListName, {
    "description": "The name of a list, which is public. It must not read as a web address; spaces around it are not counted and not kept.",
    "type": "string",
    "minLength": 1,
    "maxLength": NAME_CHARS_MAX,
    "pattern": text::name_pattern(),
    "examples": ["Main room"],
});

described!(Note, {
    "description": "A note about a party, in one or more lines.",
    "type": "string",
    "minLength": 1,
    "maxLength": NOTE_CHARS_MAX,
    "pattern": text::prose_pattern(),
    "examples": ["window seat\nhigh chair"],
});

described!(Reason, {
    "description": "The reason for a command, in one or more lines.",
    "type": "string",
    "minLength": 1,
    "maxLength": REASON_CHARS_MAX,
    "pattern": text::prose_pattern(),
    "examples": ["could not wait longer"],
});

described!(Phone, {
    "description": "A telephone number in E.164 form.",
    "type": "string",
    "pattern": "^\\+[1-9][0-9]{1,14}$",
    "examples": ["+14155552671"],
});

/// A telephone number as it is typed; [`Phone::parse`] reads it.
pub enum Dialled {}

described!(Dialled, {
    "description": "A telephone number as it is dialled in the list's region, or an international one with a leading +. \
                    Digits of other scripts are read as well.",
    "type": "string",
    "maxLength": PHONE_CHARS_MAX,
    "pattern": "^[+(]*[0-9][0-9 ().-]*[0-9]$",
    "examples": ["(415) 555-2671", "+14155552671"],
});

described!(Region, {
    "description": "A country or territory with telephone numbers of its own, as an ISO 3166-1 alpha-2 code.",
    "type": "string",
    "enum": Region::all(),
});

described!(Language, {
    "description": "A language of messages.",
    "type": "string",
    "enum": Language::ALL,
});

impl<const MIN: u32, const MAX: u32> JsonSchema for Bounded<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("From{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}
