//! Reads what a client sent, and reports every fault in it.

use serde::de::DeserializeOwned;

use crate::{
    problem::{Fault, Place, Problem, Slug},
    value::Invalid,
};

/// The longest `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;

/// The longest request id that events are searched by. Commits keep less of it.
pub const CORRELATION_CHARS_MAX: usize = 128;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Collects the faults of a body's values.
#[derive(Debug, Default)]
pub struct Check(Vec<Fault>);

impl Check {
    /// Returns the value, or records the fault.
    pub fn value<T>(&mut self, pointer: &str, parsed: Result<T, Invalid>) -> Option<T> {
        parsed.map_err(|invalid| self.fault(pointer, invalid.0)).ok()
    }

    /// As [`Check::value`], for a value that may be absent.
    pub fn optional<R, T>(
        &mut self,
        pointer: &str,
        raw: Option<R>,
        parse: impl FnOnce(R) -> Result<T, Invalid>,
    ) -> Option<T> {
        raw.and_then(|raw| self.value(pointer, parse(raw)))
    }

    /// As [`Check::optional`], for a merge patch: an absent field stays unchanged, null clears it.
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

    /// Records a fault.
    pub fn fault(&mut self, pointer: &str, detail: impl Into<String>) {
        self.0.push(Fault { at: Place::Pointer(pointer.to_owned()), detail: detail.into() });
    }

    /// Returns the value if there is no fault.
    ///
    /// # Errors
    /// All faults, as one problem.
    pub fn done<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Problem::invalid_values(self.0)),
        }
    }
}

/// Reads a number in a header or a parameter: digits only, without sign or leading zeros.
#[must_use]
pub fn whole_number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// Reads a JSON body; an empty one reads as `{}`.
///
/// # Errors
/// The body is not JSON, or has an unknown, repeated, missing or wrongly typed field: a problem that points
/// at it.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = text(body);
    if body.trim_ascii_start().starts_with(b"[") {
        // serde would read a list as an object's fields in order.
        return Err(misfit(String::new(), "must be an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed: T = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        malformed(pointer, error.inner())
    })?;
    deserializer.end().map_err(|error| malformed(String::new(), &error))?;
    Ok(parsed)
}

/// The content of a JSON body in the canonical form of RFC 8785: the order, spacing and escapes of its fields
/// make no difference. A body that is not JSON, or holds a number outside the range of a double, is returned
/// unchanged.
#[must_use]
pub fn canonical(body: &[u8]) -> Vec<u8> {
    let body = text(body);
    let content = serde_json::from_slice::<serde_json::Value>(body).ok();
    let canonical = content.and_then(|content| serde_json_canonicalizer::to_vec(&content).ok());
    canonical.unwrap_or_else(|| body.to_vec())
}

/// The JSON text of a body, without a byte order mark (RFC 8259, section 8.1).
fn text(body: &[u8]) -> &[u8] {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if body.is_empty() { b"{}" } else { body }
}

fn malformed(pointer: String, error: &serde_json::Error) -> Problem {
    // serde's messages quote the value that was sent, which may be personal: only the rest is passed on.
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
    if message == "number out of range" {
        return misfit(pointer, "must not be a number of this size");
    }
    if error.is_syntax() || error.is_eof() {
        return Problem::new(
            Slug::MalformedBody,
            format!("The body is not JSON: it breaks at line {}, column {}.", error.line(), error.column()),
        );
    }
    match message.split_once(", expected ") {
        Some((_, expected))
            if message.starts_with("invalid type") || message.starts_with("invalid value") =>
        {
            let expected = if expected.starts_with("struct ") { "an object" } else { expected };
            misfit(pointer, format!("must be {expected}"))
        }
        _ => misfit(pointer, message.replace('`', "")),
    }
}

fn misfit(pointer: String, detail: impl Into<String>) -> Problem {
    let errors = vec![Fault { at: Place::Pointer(pointer), detail: detail.into() }];
    Problem { errors, ..Problem::new(Slug::MalformedBody, "The body is malformed; see errors.") }
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
    use crate::value::Whole;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Party {
        #[expect(dead_code, reason = "only read")]
        name: String,
        party_size: Whole,
        capacity: Option<Whole>,
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
    fn a_problem_points_at_the_fault_in_a_body() {
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
        for other in ["null", "true", "\"2\"", "[2]", "{}", "1.5", "1e-1"] {
            let expected = ("/party_size".into(), "must be a whole number".into());
            assert_eq!(fault(&format!(r#"{{"name":"Ana","party_size":{other}}}"#)), expected, "{other}");
        }
        let huge = ("/name".into(), "must not be a number of this size".into());
        assert_eq!(fault(r#"{"name":1e400,"party_size":4}"#), huge);
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_fraction_or_an_exponent() {
        for (written, number) in [
            ("2", 2),
            ("2.0", 2),
            ("20e-1", 2),
            ("-0", 0),
            ("0e400", 0),
            ("9223372036854775808", i64::MAX),
            ("-99999999999999999999", i64::MIN),
            ("1e400", i64::MAX),
            ("-1e400", i64::MIN),
        ] {
            let body = format!(r#"{{"name":"Ana","party_size":{written},"capacity":{written}}}"#);
            let party: Party = json(body.as_bytes()).unwrap();
            assert_eq!((party.party_size, party.capacity), (Whole(number), Some(Whole(number))), "{written}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_ignored() {
        assert!(json::<Party>("\u{feff}{\"name\":\"Ana\",\"party_size\":4}".as_bytes()).is_ok());
        assert_eq!(fault("\u{feff}").1, "missing field name");
        assert!(fault("\u{feff}\u{feff}{}").1.contains("not JSON"));
    }

    #[test]
    fn order_spacing_and_escapes_make_no_difference() {
        let content = canonical(br#"{"name":"Ana","party_size":2,"note":null}"#);
        for written in [
            r#"{"party_size": 2, "note": null, "name": "Ana"}"#,
            "\u{feff}{\n\t\"name\" : \"\\u0041na\", \"note\":null, \"party_size\":2.0}",
            r#"{"name":"Ana","note":null,"party_size":20e-1}"#,
        ] {
            assert_eq!(canonical(written.as_bytes()), content, "{written}");
        }
        for other in [
            r#"{"name":"ana","party_size":2,"note":null}"#,
            r#"{"name":"Ana","party_size":2}"#,
            r#"{"name":"Ana","party_size":"2","note":null}"#,
        ] {
            assert_ne!(canonical(other.as_bytes()), content, "{other}");
        }
        assert_eq!(canonical(b""), canonical(b"{}"));
        assert_eq!(canonical(b"{\"x\": 1e400}"), b"{\"x\": 1e400}");
    }
}
