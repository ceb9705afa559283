//! Compares the rows of one stream in two generations.

use std::collections::BTreeSet;

use infra::rows::{RawRow, numbers};
use schema::{
    sealed::Personal,
    value::{Email, Name, Note, Phone, Reason},
};
use serde_json::Value;

/// The longest value of an example, as JSON text.
const VALUE_BYTES_MAX: usize = 256;

/// How the candidate's row of a stream relates to the live one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Equal,
    /// Another version of the fold wrote the live row, and this attribute differs.
    Expected(Difference),
    /// Both show the same events by the same version of the fold, and this attribute differs.
    Differs(Difference),
    /// They show different events.
    Apart,
    /// The candidate has no row.
    OnlyLive,
    /// The live generation has no row.
    OnlyCandidate,
    Neither,
}

/// The first attribute that differs, with both values. Sealed values are not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) field: String,
    pub(super) live: Value,
    pub(super) candidate: Value,
}

pub(super) fn compare(live: Option<&RawRow>, candidate: Option<&RawRow>) -> Verdict {
    let (live, candidate) = match (live, candidate) {
        (Some(live), Some(candidate)) => (live, candidate),
        (Some(_), None) => return Verdict::OnlyLive,
        (None, Some(_)) => return Verdict::OnlyCandidate,
        (None, None) => return Verdict::Neither,
    };
    if live.get("seq") != candidate.get("seq") && [live, candidate].iter().all(|row| numbers(row).is_some()) {
        return Verdict::Apart;
    }
    // A row whose numbers cannot be read shows no events: no doorbell brings it up to date.
    let names: BTreeSet<&String> = live.keys().chain(candidate.keys()).filter(|name| *name != "v").collect();
    let has_same_version = live.get("v") == candidate.get("v");
    let Some(field) = names.into_iter().find(|name| live.get(*name) != candidate.get(*name)) else {
        return Verdict::Equal;
    };
    let difference =
        Difference { field: field.clone(), live: shown(live, field), candidate: shown(candidate, field) };
    if has_same_version { Verdict::Differs(difference) } else { Verdict::Expected(difference) }
}

fn shown(row: &RawRow, field: &str) -> Value {
    let Some(value) = row.get(field) else { return Value::Null };
    if [Name::FIELD, Phone::FIELD, Email::FIELD, Note::FIELD, Reason::FIELD].contains(&field) {
        return "sealed".into();
    }
    cut(serde_dynamo::from_attribute_value(value.clone()).unwrap_or(Value::Null))
}

/// Replaces a long value by the beginning of its JSON text.
fn cut(value: Value) -> Value {
    let text = value.to_string();
    if text.len() <= VALUE_BYTES_MAX {
        return value;
    }
    text[..text.floor_char_boundary(VALUE_BYTES_MAX)].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: Value) -> RawRow {
        serde_dynamo::to_item(json).unwrap()
    }

    #[test]
    fn rows_are_compared_only_when_they_show_the_same_events() {
        let row = |seq: u64, v: u32, state: &str| {
            self::row(serde_json::json!({ "id": "x", "seq": seq, "v": v, "state": state, "name": state }))
        };
        let live = row(3, 1, "called");
        assert_eq!(compare(Some(&live), Some(&live)), Verdict::Equal);
        assert_eq!(compare(Some(&live), Some(&row(4, 1, "seated"))), Verdict::Apart);
        assert_eq!(
            compare(Some(&live), Some(&row(3, 2, "called"))),
            Verdict::Equal,
            "only the version differs"
        );
        let sealed =
            || Difference { field: "name".into(), live: "sealed".into(), candidate: "sealed".into() };
        assert_eq!(compare(Some(&live), Some(&row(3, 1, "seated"))), Verdict::Differs(sealed()));
        assert_eq!(compare(Some(&live), Some(&row(3, 2, "seated"))), Verdict::Expected(sealed()));
        assert_eq!(compare(Some(&live), None), Verdict::OnlyLive);
        assert_eq!(compare(None, Some(&live)), Verdict::OnlyCandidate);
    }

    #[test]
    fn a_row_whose_numbers_cannot_be_read_differs() {
        let good = row(serde_json::json!({ "seq": 3, "v": 1 }));
        for damaged in [
            serde_json::json!({ "v": 1 }),
            serde_json::json!({ "seq": -1, "v": 1 }),
            serde_json::json!({ "seq": "3", "v": 1 }),
        ] {
            for (live, candidate) in [(&row(damaged.clone()), &good), (&good, &row(damaged.clone()))] {
                let verdict = compare(Some(live), Some(candidate));
                assert!(matches!(&verdict, Verdict::Differs(by) if by.field == "seq"), "{verdict:?}");
            }
        }
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(cut("é".repeat(127).into()), "é".repeat(127));
        assert_eq!(cut("é".repeat(200).into()), format!("\"{}", "é".repeat(127)));
        assert_eq!(cut(serde_json::json!([1, 2])), serde_json::json!([1, 2]));
    }

    #[test]
    fn an_attribute_that_one_row_lacks_differs() {
        let (live, candidate) =
            (serde_json::json!({ "seq": 1, "v": 1 }), serde_json::json!({ "seq": 1, "v": 1, "z": 2 }));
        let difference = Difference { field: "z".into(), live: Value::Null, candidate: 2.into() };
        assert_eq!(compare(Some(&row(live)), Some(&row(candidate))), Verdict::Differs(difference));
    }
}
