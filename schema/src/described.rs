//! Describes values in JSON Schema, by the bounds that their parsers check.
//!
//! A schema may be stricter than its parser, which also trims and converts. A value that fits the schema can still
//! be refused, for a reason that no pattern expresses.

use std::fmt::Write as _;

/// Implements [`schemars::JsonSchema`] for a value by a schema in JSON. The schema is shared under the type's
/// name.
macro_rules! described {
    ($name:ident, $schema:tt) => {
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

pub(crate) use described;

/// A UUID with hyphens, as a pattern.
pub(crate) const UUID: &str = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}";

/// The characters of a pattern's class, as in `[\u0000-\u001f]`, without the brackets. Characters above U+FFFF
/// are left out, because dialects of regular expressions differ in how they write them.
pub(crate) fn class(is_in: impl Fn(char) -> bool) -> String {
    let mut class = String::new();
    let mut inside = None;
    for code in 0..=0x1_0000_u32 {
        let belongs = code <= 0xffff && char::from_u32(code).is_some_and(&is_in);
        match (inside, belongs) {
            (None, true) => inside = Some(code),
            (Some(first), false) => {
                inside = None;
                let _infallible = if first + 1 == code {
                    write!(class, "\\u{first:04x}")
                } else {
                    write!(class, "\\u{first:04x}-\\u{:04x}", code - 1)
                };
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    class
}

/// The words of a pattern's alternatives, as in `user|waitee`.
pub(crate) fn alternatives(words: impl IntoIterator<Item = &'static str>) -> String {
    words.into_iter().collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_lists_the_ranges_of_its_characters() {
        assert_eq!(class(char::is_control), "\\u0000-\\u001f\\u007f-\\u009f");
        assert_eq!(class(|c| c == 'a' || c > '\u{fffe}'), "\\u0061\\uffff");
        assert_eq!(class(|_| false), "");
    }
}
