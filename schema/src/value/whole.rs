//! Whole numbers in JSON.

use serde::{
    Deserialize,
    de::{Error as _, Unexpected},
};
use serde_json::value::RawValue;

/// A whole number in a request body. `2.0` and `2e0` are whole, as in JSON Schema. A number that does not fit
/// becomes the nearest that does, and the check of bounds refuses it. Only JSON text deserialises to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole(pub i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let whole = parse(text.get()).map(Self);
        whole.ok_or_else(|| D::Error::invalid_type(Unexpected::Other("another value"), &"a whole number"))
    }
}

fn parse(json: &str) -> Option<i64> {
    let starts_a_number = json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let number = || json.parse().ok().filter(|number: &f64| number.is_infinite() || number.fract() == 0.0);
    // The cast saturates.
    json.parse().ok().or_else(|| starts_a_number.then(number).flatten().map(|number| number as i64))
}
