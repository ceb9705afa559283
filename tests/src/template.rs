//! Reads `infra/template.yaml`. Intrinsic functions of CloudFormation appear in their long form.

mod mapping;

use std::{fs, path::PathBuf, sync::LazyLock};

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Value, json};

pub use self::mapping::{QueueMapping, StreamMapping, mappings};

static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
    let text = fs::read_to_string(infra("template.yaml")).unwrap();
    json(&Yaml::load_from_str(&text).unwrap()[0])
});

/// A file of the folder `infra`.
#[must_use]
pub fn infra(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra").join(path)
}

/// A resource of the template.
#[derive(Clone, Copy, Debug)]
pub struct Resource {
    /// Its logical id.
    pub id: &'static str,
    pub declared: &'static Value,
}

impl Resource {
    #[must_use]
    pub fn property(&self, name: &str) -> &'static Value {
        &self.declared["Properties"][name]
    }
}

/// All resources of a type, of which there must be one.
#[must_use]
pub fn resources(kind: &str) -> Vec<Resource> {
    let all = TEMPLATE["Resources"].as_object().unwrap().iter();
    let found: Vec<Resource> = all
        .filter(|(_, declared)| declared["Type"] == kind)
        .map(|(id, declared)| Resource { id, declared })
        .collect();
    assert!(!found.is_empty(), "the template has no {kind}");
    found
}

/// The properties that all resources of a kind have.
#[must_use]
pub fn globals(kind: &str) -> &'static Value {
    &TEMPLATE["Globals"][kind]
}

/// The declaration of a parameter.
#[must_use]
pub fn parameter(name: &str) -> &'static Value {
    &TEMPLATE["Parameters"][name]
}

#[must_use]
pub fn resource(id: &str) -> Resource {
    let found = TEMPLATE["Resources"].as_object().unwrap().get_key_value(id);
    let (id, declared) = found.unwrap_or_else(|| panic!("the template has no resource {id}"));
    Resource { id, declared }
}

/// A value as text, with `${..}` for references. Of two alternatives the one that AWS gets by default.
#[must_use]
pub fn text(value: &Value) -> String {
    if let Value::String(text) = value {
        return text.clone();
    }
    match value.as_object().and_then(|object| object.iter().next()) {
        Some((name, inner)) => match (name.as_str(), inner) {
            ("Ref" | "Fn::GetAtt", Value::String(name)) => format!("${{{name}}}"),
            ("Fn::Sub", Value::String(text)) => text.clone(),
            ("Fn::If", Value::Array(branches)) => match text(&branches[2]).as_str() {
                "${AWS::NoValue}" => text(&branches[1]),
                chosen => chosen.to_owned(),
            },
            _ => panic!("{value} is no text"),
        },
        None => value.to_string(),
    }
}

/// A value or a list of values as texts.
#[must_use]
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.iter().map(text).collect(),
        Value::Object(object) if object.get("Fn::If").is_some_and(|branches| branches[2].is_array()) => {
            texts(&object["Fn::If"][2])
        }
        value => vec![text(value)],
    }
}

fn json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.0),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(values) => values.iter().map(json).collect(),
        Yaml::Mapping(entries) => {
            entries.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), json(value))).collect()
        }
        Yaml::Tagged(tag, inner) if tag.suffix == "Ref" => json!({ "Ref": json(inner) }),
        Yaml::Tagged(tag, inner) => json!({ (format!("Fn::{}", tag.suffix)): json(inner) }),
        other => panic!("the template holds {other:?}"),
    }
}
