//! The statements of the functions' roles, and what must hold of each.

use std::collections::{BTreeMap, BTreeSet};

use schema::id::Category;
use serde_json::{Value, json};
use waitlist_tests::template::{globals, parameter, resource, resources, text, texts};

/// One statement of a policy.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) allows: bool,
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<String>,
    /// The prefixes of partition keys that it is bound to; empty for all.
    pub(crate) keys: Vec<String>,
    condition: &'static Value,
}

/// The statements of a function's role.
pub(crate) fn statements(function: &str) -> Vec<Statement> {
    let roles = resources("AWS::IAM::Role");
    let role = roles.iter().find(|role| role.id == format!("{function}Role")).unwrap();
    let Some(policies) = role.property("Policies").as_array() else { return Vec::new() };
    assert_eq!(policies.len(), 1, "{function}");
    read(&policies[0]["PolicyDocument"])
}

fn read(document: &'static Value) -> Vec<Statement> {
    let statements = document["Statement"].as_array().unwrap().iter();
    statements
        .map(|statement| Statement {
            allows: statement["Effect"] == "Allow",
            actions: texts(&statement["Action"]),
            resources: texts(&statement["Resource"]),
            keys: texts(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
                .iter()
                .map(|key| key.strip_suffix("-*").unwrap_or_else(|| panic!("{key} is no prefix")).to_owned())
                .collect(),
            condition: &statement["Condition"],
        })
        .collect()
}

fn functions() -> Vec<&'static str> {
    resources("AWS::Serverless::Function").iter().map(|function| function.id).collect()
}

#[test]
fn a_function_has_a_role_of_its_own_and_writes_logs_and_traces_beside_it() {
    let roles = resources("AWS::IAM::Role");
    assert_eq!(roles.len(), functions().len());
    for role in roles {
        assert_eq!(texts(role.property("ManagedPolicyArns")), ["${WriteLogsAndTraces}"], "{}", role.id);
        let trust = role.property("AssumeRolePolicyDocument");
        let lambda = json!({ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" });
        assert_eq!(trust["Statement"], json!([lambda]), "{}", role.id);
    }
    let beside = read(resource("WriteLogsAndTraces").property("PolicyDocument")).into_iter();
    let beside: Vec<_> = beside.map(|statement| (statement.actions, statement.resources)).collect();
    let may = |actions: [&str; 2], on: &str| (actions.map(str::to_owned).to_vec(), vec![on.to_owned()]);
    let logs = may(["logs:CreateLogStream", "logs:PutLogEvents"], "${Logs.Arn}");
    assert_eq!(beside, [logs, may(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*")]);
}

#[test]
fn every_function_is_traced() {
    assert_eq!(globals("Function")["Tracing"], json!({ "Ref": "Tracing" }));
    assert_eq!(parameter("Tracing")["Default"], "Active");
}

#[test]
fn no_role_has_an_open_action_and_only_texts_have_an_open_resource() {
    for function in functions() {
        for statement in statements(function) {
            assert!(
                statement.actions.iter().all(|action| !action.contains('*')),
                "{function}: {statement:?}"
            );
            if statement.resources.contains(&"*".to_owned()) {
                assert_eq!(
                    statement.actions,
                    ["sns:Publish", "sns:CheckIfPhoneNumberIsOptedOut"],
                    "{function}"
                );
                let denied = statements(function).into_iter().find(|statement| !statement.allows).unwrap();
                assert_eq!(denied.actions, ["sns:Publish"]);
                assert_eq!(denied.resources, ["arn:${AWS::Partition}:sns:*:*:*"], "topics");
            }
        }
    }
}

/// `ForAllValues` holds for a request without keys, so `Null` must exclude these.
#[test]
fn a_bound_on_keys_excludes_requests_without_keys() {
    let mut all: Vec<Statement> = functions().into_iter().flat_map(statements).collect();
    for people in ["Operators", "Auditors"] {
        all.extend(read(resource(people).property("PolicyDocument")));
    }
    for statement in all {
        let of_vault = statement.resources.contains(&"${Vault.Arn}".to_owned());
        let puts_event = statement.resources.contains(&"${Events.Arn}".to_owned())
            && statement.actions.contains(&"dynamodb:PutItem".to_owned());
        assert!(!statement.keys.is_empty() || !(of_vault || puts_event), "{statement:?}");
        if !statement.keys.is_empty() {
            let null = json!({ "dynamodb:LeadingKeys": { "Ref": "Emulated" } });
            assert_eq!(statement.condition["Null"], null, "{statement:?}");
        }
        if statement.resources.contains(&"${DataKey.Arn}".to_owned()) {
            let null = json!({ "kms:EncryptionContext:account": { "Ref": "Emulated" } });
            assert_eq!(statement.condition["Null"], null, "{statement:?}");
        }
    }
}

/// The categories of streams that a role appends to, by function.
#[test]
fn a_function_appends_only_to_its_categories() {
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for function in functions() {
        for statement in statements(function) {
            if statement.resources == ["${Events.Arn}"]
                && statement.actions.contains(&"dynamodb:PutItem".into())
            {
                found.entry(function).or_default().extend(statement.keys);
            }
        }
    }
    let expected = [
        ("Accounts", vec![Category::User, Category::Mail, Category::Session]),
        ("Hosts", vec![Category::Waitlist, Category::Waitee]),
        ("Guests", vec![Category::Waitee]),
        ("Exports", vec![Category::Access]),
        ("Deliver", vec![Category::Mail, Category::Waitee]),
        ("Eraser", vec![Category::User, Category::Waitee]),
        ("Operations", vec![Category::Projection]),
        ("Rebuild", vec![Category::Projection]),
    ]
    .into_iter()
    .map(|(function, of)| (function, of.into_iter().map(|category| category.as_str().to_owned()).collect()))
    .collect();
    assert_eq!(found, expected);
}

/// The tables of rows are named by the streams of projections.
#[test]
fn a_function_that_touches_rows_may_read_the_generations() {
    let touches_rows =
        |statement: &Statement| statement.resources.iter().any(|of| of.starts_with("${Events.Arn}-"));
    let reads_generations = |statement: &Statement| {
        let keys = &statement.keys;
        statement.resources == ["${Events.Arn}"]
            && statement.actions.contains(&"dynamodb:Query".to_owned())
            && (keys.is_empty() || keys.contains(&Category::Projection.as_str().to_owned()))
    };
    let may = |rule: &dyn Fn(&Statement) -> bool| -> BTreeSet<&str> {
        functions().into_iter().filter(|function| statements(function).iter().any(rule)).collect()
    };
    let touching = may(&touches_rows);
    assert_eq!(
        touching,
        [
            "Exports",
            "Guests",
            "Hosts",
            "Operations",
            "Projector",
            "Reads",
            "Rebuild",
            "Setup",
            "Sweep",
            "Tick"
        ]
        .into()
    );
    assert_eq!(may(&reads_generations), touching);
}

/// IAM cannot demand that a reading is recorded first, but a person who reads can write nothing else.
#[test]
fn people_who_read_histories_append_to_the_stream_of_readings_alone() {
    let writes = read(resource("Auditors").property("PolicyDocument")).into_iter().filter(|statement| {
        statement.actions.iter().any(|action| {
            !["Query", "GetItem", "BatchGetItem", "Decrypt"].iter().any(|read| action.ends_with(read))
        })
    });
    let writes: Vec<_> =
        writes.map(|statement| (statement.actions, statement.resources, statement.keys)).collect();
    let append = (
        vec!["dynamodb:PutItem".to_owned()],
        vec!["${Events.Arn}".to_owned()],
        vec![Category::Access.as_str().to_owned()],
    );
    assert_eq!(writes, [append]);
}

/// The functions that may make a call on a resource.
fn holders(action: &str, resource: &str) -> BTreeSet<&'static str> {
    functions()
        .into_iter()
        .filter(|function| {
            statements(function).iter().any(|statement| {
                let on = statement.resources.iter().any(|of| of.contains(resource));
                statement.allows && on && statement.actions.iter().any(|of| of == action)
            })
        })
        .collect()
}

#[test]
fn sending_signing_projecting_and_removing_are_each_allowed_to_few_functions() {
    assert_eq!(holders("sns:Publish", "*"), ["Deliver"].into());
    assert_eq!(holders("ses:SendEmail", "identity/"), ["Deliver"].into());
    assert_eq!(holders("dynamodb:DeleteItem", ""), ["Eraser"].into());
    assert_eq!(holders("dynamodb:PutItem", "${Events.Arn}-"), ["Projector", "Rebuild"].into());
    assert_eq!(holders("dynamodb:Scan", "${Events.Arn}"), ["Operations", "Rebuild", "Sweep"].into());
    assert_eq!(holders("dynamodb:CreateTable", ""), ["Rebuild", "Setup"].into());
    assert_eq!(holders("dynamodb:DeleteTable", ""), ["Rebuild"].into());
    assert_eq!(holders("kms:Sign", ""), ["Accounts"].into());
    assert_eq!(holders("kms:Encrypt", ""), ["Accounts"].into());
    assert_eq!(holders("dynamodb:UpdateItem", ""), ["Accounts", "Guests", "Deliver"].into());
    assert_eq!(holders("dynamodb:UpdateItem", ""), holders("dynamodb:UpdateItem", "${Limits.Arn}"));
    assert_eq!(holders("secretsmanager:GetSecretValue", "${ClaimsSecret.Id}"), ["Accounts", "Eraser"].into());
}

/// It may know who has a key, and open none.
#[test]
fn the_sweep_only_reads_and_sends_messages() {
    for statement in statements("Sweep") {
        for action in &statement.actions {
            let reads = ["Query", "BatchGetItem", "Scan", "ReceiveMessage", "GetQueueAttributes"];
            let is_harmless = reads.iter().any(|read| action.ends_with(read)) || action.starts_with("sqs:");
            assert!(is_harmless, "{statement:?}");
        }
    }
}

#[test]
fn the_events_table_denies_changes_and_removals() {
    let policy = &resource("Events").property("ResourcePolicy")["PolicyDocument"];
    let statements = policy["Statement"].as_array().unwrap();
    let denial = &statements[0];
    assert_eq!((statements.len(), &denial["Effect"], &denial["Principal"]), (1, &json!("Deny"), &json!("*")));
    assert_eq!(denial["Condition"], Value::Null);
    assert!(text(&denial["Resource"]).ends_with(":table/${AWS::StackName}-events"));
    let denied = texts(&denial["Action"]);
    for action in [
        "UpdateItem",
        "DeleteItem",
        "BatchWriteItem",
        "PartiQLUpdate",
        "PartiQLDelete",
        "UpdateTimeToLive",
        "DeleteTable",
    ] {
        assert!(denied.contains(&format!("dynamodb:{action}")), "{action}");
    }
}

#[test]
fn a_function_that_may_read_a_secret_or_use_a_key_knows_which() {
    for (variable, action, named) in [
        ("WAITLIST_LINKS_SECRET", "secretsmanager:GetSecretValue", "${LinksSecret.Id}"),
        ("WAITLIST_CLAIMS_SECRET", "secretsmanager:GetSecretValue", "${ClaimsSecret.Id}"),
        ("WAITLIST_KMS_KEY", "kms:Decrypt", "${DataKey.Arn}"),
        ("WAITLIST_TOKEN_KEY", "kms:GetPublicKey", "${TokenKey.Arn}"),
    ] {
        let knowing: BTreeSet<&str> = resources("AWS::Serverless::Function")
            .iter()
            .filter(|function| {
                let value = function.property("Environment")["Variables"].get(variable);
                value.is_some_and(|value| text(value) == named)
            })
            .map(|function| function.id)
            .collect();
        assert_eq!(knowing, holders(action, named), "{variable}");
    }
}
