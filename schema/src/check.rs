//! Reading what a client sent: every fault found and named, not only the first.

use serde::de::DeserializeOwned;

use crate::{
    problem::{Fault, Place, Problem, Slug},
    value::Invalid,
};

/// Collects the faults of a body's values.
#[derive(Debug, Default)]
pub struct Check(Vec<Fault>);

impl Check {
    /// The value, or nothing and a fault remembered.
    pub fn value<T>(&mut self, pointer: &str, parsed: Result<T, Invalid>) -> Option<T> {
        parsed.map_err(|invalid| self.fault(pointer, invalid.0)).ok()
    }

    /// As [`Check::value`], for a value that need not be there.
    pub fn optional<R, T>(
        &mut self,
        pointer: &str,
        raw: Option<R>,
        parse: impl FnOnce(R) -> Result<T, Invalid>,
    ) -> Option<T> {
        raw.and_then(|raw| self.value(pointer, parse(raw)))
    }

    /// As [`Check::optional`], for a merge patch: absent stays, null clears.
    pub fn patch<R, T>(
        &mut self,
        pointer: &str,
        raw: Option<Option<R>>,
        parse: impl FnOnce(R) -> Result<T, Invalid>,
    ) -> Option<Option<T>> {
        raw.map(|raw| self.optional(pointer, raw, parse))
    }

    /// As [`Check::optional`], for a merge patch of a value that cannot be cleared.
    pub fn replace<R, T>(
        &mut self,
        pointer: &str,
        raw: Option<Option<R>>,
        parse: impl FnOnce(R) -> Result<T, Invalid>,
    ) -> Option<T> {
        match raw? {
            Some(raw) => self.value(pointer, parse(raw)),
            None => {
                self.fault(pointer, "must not be null");
                None
            }
        }
    }

    /// Remembers a fault.
    pub fn fault(&mut self, pointer: &str, detail: impl Into<String>) {
        self.0.push(Fault { at: Place::Pointer(pointer.to_owned()), detail: detail.into() });
    }

    /// Gives the value when no fault was found.
    ///
    /// # Errors
    /// The faults, as one problem.
    pub fn done<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Problem::invalid_values(self.0)),
        }
    }
}

/// A number in a header or a parameter, in the one way we write it: digits alone, no sign, no zeros in front.
#[must_use]
pub fn whole_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// Reads a JSON body; an empty one reads as `{}`.
///
/// # Errors
/// No JSON, or unknown, doubled, missing or wrongly typed fields: a problem that points at the place.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}".as_slice() } else { body };
    if body.trim_ascii_start().starts_with(b"[") {
        // serde would take a list for an object whose fields are not named.
        let errors = vec![Fault { at: Place::Pointer(String::new()), detail: "must be an object".into() }];
        return Err(Problem {
            errors,
            ..Problem::new(Slug::MalformedBody, "The body is not what was asked for; see errors.")
        });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed: T = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        malformed(pointer, error.inner())
    })?;
    deserializer.end().map_err(|error| malformed(String::new(), &error))?;
    Ok(parsed)
}

fn malformed(pointer: String, error: &serde_json::Error) -> Problem {
    let slug = Slug::MalformedBody;
    if error.is_syntax() || error.is_eof() {
        return Problem::new(
            slug,
            format!("The body is not JSON: it breaks at line {}, column {}.", error.line(), error.column()),
        );
    }
    // serde's messages quote the value that was sent; what is wrong with it can be said without it.
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
    let detail = match message.split_once(", expected ") {
        Some((_, expected))
            if message.starts_with("invalid type") || message.starts_with("invalid value") =>
        {
            format!(
                "must be {}",
                match expected {
                    "i64" => "a whole number",
                    shape if shape.starts_with("struct ") => "an object",
                    other => other,
                }
            )
        }
        _ => message.replace('`', ""),
    };
    let errors = vec![Fault { at: Place::Pointer(pointer), detail }];
    Problem { errors, ..Problem::new(slug, "The body is not what was asked for; see errors.") }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let step = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&step);
    }
    pointer
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Party {
        #[expect(dead_code, reason = "only read")]
        name: String,
        #[expect(dead_code, reason = "only read")]
        party_size: i64,
    }

    fn fault(body: &str) -> (String, String) {
        let problem = json::<Party>(body.as_bytes()).unwrap_err();
        assert_eq!(problem.slug, Slug::MalformedBody);
        match problem.errors.into_iter().next() {
            Some(Fault { at: Place::Pointer(pointer), detail }) => (pointer, detail),
            other => (format!("{other:?}"), problem.detail),
        }
    }

    #[test]
    fn a_malformed_body_is_pointed_at() {
        assert_eq!(
            fault(r#"{"name":"Ana","party_size":"4"}"#),
            ("/party_size".into(), "must be a whole number".into())
        );
        assert_eq!(fault(r#"{"name":"Ana","party_size":4.5}"#).0, "/party_size");
        assert_eq!(fault(r#"{"name":"Ana","party_size":4,"colour":1}"#).0, "/colour");
        assert_eq!(fault(r#"{"name":"Ana"}"#), ("".into(), "missing field party_size".into()));
        assert_eq!(fault(r#"{"name":"Ana","name":"Ben","party_size":4}"#).1, "duplicate field name");
        assert_eq!(fault("[]"), ("".into(), "must be an object".into()));
        assert_eq!(fault(r#" ["Ana", 4]"#), ("".into(), "must be an object".into()));
        assert!(fault(r#"{"name":"Ana""#).1.contains("line 1"));
        assert!(fault(r#"{"name":"Ana","party_size":4} x"#).1.contains("not JSON"));
        assert_eq!(fault("").1, "missing field name");
    }
}
