//! Queues and event source mappings of the template against the code's queues and reactions.

use std::collections::BTreeSet;

use infra::function::{FUNCTIONS, Need, QUEUES};
use local::pump::Mapping;
use reactors::react::TYPES;
use serde_json::{Value, json};
use waitlist_tests::template::{mappings, resource, resources, text};

#[test]
fn projector_and_reactor_read_the_stream_from_its_beginning_with_the_bounds_of_the_local_pump() {
    let streams = mappings("DynamoDB");
    assert_eq!(streams.iter().map(|(of, _)| of.id).collect::<BTreeSet<_>>(), ["Projector", "Reactor"].into());
    for (of, mapping) in streams {
        assert_eq!(text(&mapping["Stream"]), "${Events.StreamArn}", "{}", of.id);
        assert_eq!(mapping["StartingPosition"], "TRIM_HORIZON", "{}", of.id);
        assert_eq!(mapping["BisectBatchOnFunctionError"], true, "{}", of.id);
        assert!((1..=100).contains(&mapping["MaximumRetryAttempts"].as_u64().unwrap()), "{}", of.id);
        assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{}", of.id);
        let failed = text(&mapping["DestinationConfig"]["OnFailure"]["Destination"]);
        assert_eq!(failed, "${StreamFailures.Arn}", "{}", of.id);
        let local = Mapping::of("any");
        assert_eq!(mapping["BatchSize"], local.batch_size, "{}", of.id);
        assert_eq!(mapping["MaximumRetryAttempts"], local.attempts_max - 1, "{}", of.id);
        assert_eq!(of.property("Timeout").as_u64(), Some(local.timeout_ms / 1_000), "{}", of.id);
        assert!(local.bisect);
    }
}

#[test]
fn the_reactor_gets_the_categories_that_have_a_reaction_and_the_projector_every_record() {
    for (of, mapping) in mappings("DynamoDB") {
        if of.id == "Projector" {
            assert_eq!(mapping["FilterCriteria"], Value::Null);
            continue;
        }
        let categories: BTreeSet<&str> = TYPES.iter().map(|kind| kind.split_once('.').unwrap().0).collect();
        let prefixes: Vec<Value> =
            categories.iter().map(|category| json!({ "prefix": format!("{category}-") })).collect();
        let filters = mapping["FilterCriteria"]["Filters"].as_array().unwrap();
        let pattern: Value = serde_json::from_str(filters[0]["Pattern"].as_str().unwrap()).unwrap();
        let expected =
            json!({ "eventName": ["INSERT"], "dynamodb": { "Keys": { "stream": { "S": prefixes } } } });
        assert_eq!((filters.len(), pattern), (1, expected));
    }
}

#[test]
fn queues_have_the_consumers_and_policies_of_the_code() {
    let mappings = mappings("SQS");
    assert_eq!(mappings.len(), QUEUES.len());
    for of in QUEUES {
        let name = capitalised(of.name);
        let queue = resource(&name);
        let (consumer, mapping) = mappings
            .iter()
            .find(|(_, mapping)| text(&mapping["Queue"]) == format!("${{{name}.Arn}}"))
            .unwrap();
        assert_eq!(consumer.id, capitalised(of.consumer.name));
        assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{name}");
        assert_eq!(queue.property("VisibilityTimeout"), of.policy.visibility.as_secs(), "{name}");
        let redrive = queue.property("RedrivePolicy");
        assert_eq!(redrive["maxReceiveCount"], of.policy.attempts_max, "{name}");
        assert_eq!(text(&redrive["deadLetterTargetArn"]), format!("${{{name}Dead.Arn}}"));
    }
}

#[test]
fn functions_have_the_time_outs_and_settings_of_the_code() {
    for function in FUNCTIONS {
        let declared = resource(&capitalised(function.name));
        assert_eq!(declared.property("Timeout"), function.time_out.as_secs(), "{}", function.name);
        let given: BTreeSet<&str> = declared.property("Environment")["Variables"]
            .as_object()
            .unwrap()
            .keys()
            .filter_map(|name| SETTINGS.iter().find(|(_, setting)| setting == name))
            .map(|(_, setting)| *setting)
            .collect();
        let needed = SETTINGS.iter().filter(|(need, _)| function.needs.contains(need));
        assert_eq!(given, needed.map(|(_, setting)| *setting).collect(), "{}", function.name);
    }
}

/// The setting of each need in AWS.
const SETTINGS: [(Need, &str); 11] = [
    (Need::MasterKey, "WAITLIST_KMS_KEY"),
    (Need::TokenKeys, "WAITLIST_TOKEN_KEY"),
    (Need::Links, "WAITLIST_LINKS_SECRET"),
    (Need::Claims, "WAITLIST_CLAIMS_SECRET"),
    (Need::Retries, "WAITLIST_RETRIES_URL"),
    (Need::Deliveries, "WAITLIST_DELIVERIES_URL"),
    (Need::Erasures, "WAITLIST_ERASURES_URL"),
    (Need::Rebuilds, "WAITLIST_REBUILDS_URL"),
    (Need::Sweeps, "WAITLIST_SWEEPS_URL"),
    (Need::StreamFailures, "WAITLIST_STREAM_FAILURES_URL"),
    (Need::PublicUrl, "WAITLIST_PUBLIC_URL"),
];

#[test]
fn sweeps_are_begun_by_schedules_that_one_parameter_turns_off() {
    let events = resource("Sweep").property("Events");
    for (event, rate, input) in [("Daily", "rate(1 day)", "daily"), ("GivenUp", "rate(1 hour)", "given-up")] {
        let schedule = &events[event]["Properties"];
        assert_eq!(schedule["Schedule"], rate);
        let given: Value = serde_json::from_str(schedule["Input"].as_str().unwrap()).unwrap();
        assert_eq!(given, json!({ "sweep": input }));
        assert_eq!(schedule["State"], json!({ "Fn::If": ["HasSweeps", "ENABLED", "DISABLED"] }), "{event}");
    }
}

/// The logical id of a function or queue in the template.
fn capitalised(name: &str) -> String {
    name[..1].to_uppercase() + &name[1..]
}

#[test]
fn every_queue_of_dead_letters_has_an_alarm() {
    let watched: BTreeSet<String> = resources("AWS::CloudWatch::Alarm")
        .iter()
        .filter(|alarm| alarm.property("Namespace") == "AWS/SQS")
        .map(|alarm| text(&alarm.property("Dimensions")[0]["Value"]))
        .collect();
    let dead =
        ["RetriesDead", "DeliveriesDead", "ErasuresDead", "RebuildsDead", "SweepsDead", "StreamFailures"];
    assert_eq!(watched, dead.map(|name| format!("${{{name}.QueueName}}")).into());
}

#[test]
fn a_function_that_sends_to_a_queue_or_counts_it_knows_its_address() {
    for function in resources("AWS::Serverless::Function") {
        let variables = &function.property("Environment")["Variables"];
        for queue in ["Retries", "Deliveries", "Erasures", "Rebuilds", "Sweeps"] {
            let calls = ["sqs:SendMessage", "sqs:GetQueueAttributes"];
            let uses = super::roles::statements(function.id).iter().any(|statement| {
                calls.iter().any(|call| statement.actions.contains(&(*call).to_owned()))
                    && statement.resources.contains(&format!("${{{queue}.Arn}}"))
            });
            let address = variables.get(format!("WAITLIST_{}_URL", queue.to_uppercase()));
            assert_eq!(address.map(text), uses.then(|| format!("${{{queue}}}")), "{} {queue}", function.id);
        }
    }
}
