//! Queues and event source mappings of the template against the code's queues and reactions.

use std::collections::BTreeSet;

use infra::backend::{DELIVERY_POLICY, ERASURE_POLICY, RETRY_POLICY};
use reactors::react::TYPES;
use serde_json::{Value, json};

use super::document::{Resource, resource, resources, text};

/// AWS's advice: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
const VISIBILITY_PER_TIMEOUT: u64 = 6;

/// The mappings of one kind: the function and the mapping's properties.
fn mappings(kind: &str) -> Vec<(Resource, &'static Value)> {
    let functions = resources("AWS::Serverless::Function");
    let all = functions.into_iter().flat_map(|function| {
        let events = function.property("Events").as_object().into_iter().flatten();
        events.map(move |(_, event)| (function, event))
    });
    all.filter(|(_, event)| event["Type"] == kind).map(|(of, event)| (of, &event["Properties"])).collect()
}

#[test]
fn projector_and_reactor_read_the_stream_from_its_beginning_with_bounded_retries() {
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
fn a_queue_hides_a_message_for_six_time_outs_of_its_function_and_gives_up_when_the_code_says() {
    let policies = [("Retries", RETRY_POLICY), ("Deliveries", DELIVERY_POLICY), ("Erasures", ERASURE_POLICY)];
    let queues = mappings("SQS");
    assert_eq!(queues.len(), policies.len());
    for (name, policy) in policies {
        let queue = resource(name);
        let (of, mapping) =
            queues.iter().find(|(_, mapping)| text(&mapping["Queue"]) == format!("${{{name}.Arn}}")).unwrap();
        assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{name}");
        let visibility = queue.property("VisibilityTimeout").as_u64().unwrap();
        let timeout = of.property("Timeout").as_u64().unwrap();
        assert!(visibility >= VISIBILITY_PER_TIMEOUT * timeout, "{name}: {visibility} s, {timeout} s");
        assert!(visibility >= policy.visibility.as_secs(), "{name}: {visibility} s");
        let redrive = queue.property("RedrivePolicy");
        assert_eq!(redrive["maxReceiveCount"], policy.attempts_max, "{name}");
        assert_eq!(text(&redrive["deadLetterTargetArn"]), format!("${{{name}Dead.Arn}}"));
    }
}

#[test]
fn every_queue_of_dead_letters_has_an_alarm() {
    let watched: BTreeSet<String> = resources("AWS::CloudWatch::Alarm")
        .iter()
        .filter(|alarm| alarm.property("Namespace") == "AWS/SQS")
        .map(|alarm| text(&alarm.property("Dimensions")[0]["Value"]))
        .collect();
    let dead = ["RetriesDead", "DeliveriesDead", "ErasuresDead", "StreamFailures"];
    assert_eq!(watched, dead.map(|name| format!("${{{name}.QueueName}}")).into());
}

#[test]
fn a_function_that_sends_to_a_queue_knows_its_address() {
    for function in resources("AWS::Serverless::Function") {
        let variables = &function.property("Environment")["Variables"];
        for queue in ["Retries", "Deliveries", "Erasures"] {
            let sends = super::roles::statements(function.id).iter().any(|statement| {
                statement.actions.contains(&"sqs:SendMessage".to_owned())
                    && statement.resources.contains(&format!("${{{queue}.Arn}}"))
            });
            let address = variables.get(format!("WAITLIST_{}_URL", queue.to_uppercase()));
            assert_eq!(address.map(text), sends.then(|| format!("${{{queue}}}")), "{} {queue}", function.id);
        }
    }
}
