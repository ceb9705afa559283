//! Plainer forms of generated schemas.

use schemars::{Schema, transform::transform_subschemas};
use serde_json::{Value, json};

/// Rewrites a schema and those in it:
///
/// - descriptions are on one line, as their sources break lines anywhere;
/// - a default of null is left out, because an absent field of a merge patch is not null;
/// - alternatives between words become one list of words, which is described word by word.
pub(super) fn tidy(schema: &mut Schema) {
    if let Some(text) = schema.get("description").and_then(Value::as_str) {
        let joined = text.replace("\n\n", "\0").replace('\n', " ").replace('\0', "\n\n");
        schema.insert("description".to_owned(), joined.into());
    }
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    if let Some(words) = schema.get("oneOf").and_then(Value::as_array).and_then(|all| words(all)) {
        schema.remove("oneOf");
        let about: Vec<String> = words
            .iter()
            .filter_map(|(word, about)| Some(format!("- `{word}`: {}", about.as_deref()?.replace('\n', " "))))
            .collect();
        let own = schema.get("description").and_then(Value::as_str).map(str::to_owned);
        let text: Vec<String> = own.into_iter().chain([about.join("\n")]).collect();
        schema.insert("description".to_owned(), text.join("\n\n").into());
        schema.insert("type".to_owned(), "string".into());
        schema.insert("enum".to_owned(), json!(words.iter().map(|(word, _)| word).collect::<Vec<_>>()));
    }
    transform_subschemas(&mut tidy, schema);
}

/// The words of alternatives that are all words, with their descriptions.
fn words(alternatives: &[Value]) -> Option<Vec<(String, Option<String>)>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mut words = Vec::new();
    for alternative in alternatives {
        let about = alternative.get("description").and_then(text);
        match (alternative.get("const"), alternative.get("enum")) {
            (Some(word), _) => words.push((text(word)?, about)),
            (None, Some(several)) => {
                for word in several.as_array()? {
                    words.push((text(word)?, None));
                }
            }
            (None, None) => return None,
        }
    }
    Some(words)
}
