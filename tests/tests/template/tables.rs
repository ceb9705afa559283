//! Tables of the template against the layouts of the code.

use schema::{
    projection::Name,
    table::{DECLARED, Index, Key, KeyType, Projected, Table},
};
use serde_json::{Value, json};
use waitlist_tests::template::{Resource, resource, resources, text, texts};

#[test]
fn the_template_declares_every_table_but_those_of_rows() {
    let mut declared: Vec<Table> = DECLARED.to_vec();
    let found = resources("AWS::DynamoDB::Table");
    assert_eq!(found.len(), declared.len(), "{found:?}");
    for resource in found {
        let name = text(resource.property("TableName"));
        let at = declared.iter().position(|table| table.name("${AWS::StackName}") == name);
        is_as(&resource, &declared.swap_remove(at.unwrap_or_else(|| panic!("no table is called {name}"))));
    }
}

fn is_as(resource: &Resource, table: &Table) {
    let id = resource.id;
    assert_eq!(resource.property("KeySchema"), &key_schema(table.hash, table.range), "{id}");
    let mut keys: Vec<Key> = [Some(table.hash), table.range].into_iter().flatten().collect();
    keys.extend(table.indexes.iter().flat_map(|index| [index.hash, index.range]));
    let defined: Vec<Value> = keys.into_iter().map(definition).collect();
    assert_eq!(resource.property("AttributeDefinitions"), &json!(defined), "{id}");
    let indexes: Vec<Value> = table.indexes.iter().map(secondary).collect();
    let expected = if indexes.is_empty() { Value::Null } else { json!(indexes) };
    assert_eq!(resource.property("GlobalSecondaryIndexes"), &expected, "{id}");
    let stream = if table.streamed { json!({ "StreamViewType": "NEW_IMAGE" }) } else { Value::Null };
    assert_eq!(resource.property("StreamSpecification"), &stream, "{id}");
    let expiry = table.expiry.map(|attribute| json!({ "AttributeName": attribute, "Enabled": true }));
    assert_eq!(resource.property("TimeToLiveSpecification"), &json!(expiry), "{id}");
    assert_eq!(resource.property("DeletionProtectionEnabled"), &json!(true), "{id}");
    assert_eq!(
        resource.property("PointInTimeRecoverySpecification")["PointInTimeRecoveryEnabled"],
        true,
        "{id}"
    );
    assert_eq!(resource.property("SSESpecification")["SSEType"], "KMS", "{id}");
}

fn key_schema(hash: Key, range: Option<Key>) -> Value {
    let range = range.map(|(name, _)| json!({ "AttributeName": name, "KeyType": "RANGE" }));
    std::iter::once(json!({ "AttributeName": hash.0, "KeyType": "HASH" })).chain(range).collect()
}

fn definition((name, kind): Key) -> Value {
    let kind = match kind {
        KeyType::S => "S",
        KeyType::N => "N",
    };
    json!({ "AttributeName": name, "AttributeType": kind })
}

fn secondary(index: &Index) -> Value {
    let projection = match index.projected {
        Projected::All => json!({ "ProjectionType": "ALL" }),
        Projected::Keys => json!({ "ProjectionType": "KEYS_ONLY" }),
        Projected::Some(names) => json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": names }),
    };
    json!({ "IndexName": index.name, "KeySchema": key_schema(index.hash, Some(index.range)), "Projection": projection })
}

/// A new projection changes this list, and CloudFormation runs the setup lambda again.
#[test]
fn the_setup_resource_lists_the_projections() {
    let listed = texts(resource("RowTables").property("Projections"));
    assert_eq!(listed, Name::ALL.map(Name::as_str));
    let rows = Name::ALL.map(|name| name.table().generation(0));
    assert!(rows.iter().all(|table| table.expiry.is_none()), "the role of Setup may not set an expiry");
}

#[test]
fn tables_keys_and_secrets_outlive_the_stack() {
    for kind in ["AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SecretsManager::Secret"] {
        for Resource { id, declared } in resources(kind) {
            assert_eq!(declared["DeletionPolicy"], "Retain", "{id}");
            assert_eq!(declared["UpdateReplacePolicy"], "Retain", "{id}");
        }
    }
}
