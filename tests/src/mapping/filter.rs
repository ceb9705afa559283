//! Filter patterns of an event source mapping, as far as the template uses them.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>

use serde_json::Value;

/// Whether a record matches one of the patterns, or there are none.
pub(super) fn passes(patterns: &[Value], record: &Value) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, record))
}

fn matches(pattern: &Value, value: &Value) -> bool {
    match pattern {
        Value::Object(fields) => fields.iter().all(|(name, pattern)| matches(pattern, &value[name])),
        Value::Array(alternatives) => alternatives.iter().any(|alternative| fits(alternative, value)),
        other => panic!("a pattern holds {other}"),
    }
}

fn fits(alternative: &Value, value: &Value) -> bool {
    match alternative {
        Value::String(_) => alternative == value,
        Value::Object(rule) => match rule.iter().next() {
            Some((name, Value::String(prefix))) if rule.len() == 1 && name == "prefix" => {
                value.as_str().is_some_and(|text| text.starts_with(prefix))
            }
            _ => panic!("the rule {alternative} is not simulated"),
        },
        other => panic!("the rule {other} is not simulated"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_passes_when_all_fields_of_a_pattern_match() {
        let pattern =
            [json!({ "kind": ["new"], "keys": { "id": [{ "prefix": "a-" }, { "prefix": "b-" }] } })];
        let record = |kind: &str, id: &str| json!({ "kind": kind, "keys": { "id": id }, "more": 1 });
        assert!(passes(&pattern, &record("new", "b-7")) && passes(&[], &record("old", "c-7")));
        for (kind, id) in [("old", "a-7"), ("new", "c-a-7"), ("new", "")] {
            assert!(!passes(&pattern, &record(kind, id)), "{kind} {id}");
        }
        assert!(!passes(&pattern, &json!({ "kind": "new" })));
    }
}
