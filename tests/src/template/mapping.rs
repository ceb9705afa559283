//! Event source mappings of the template, with the numbers of their functions and queues.

use std::time::Duration;

use serde_json::Value;

use super::{Resource, resource, resources, text};

/// The mappings of one kind: the function and the mapping's properties.
#[must_use]
pub fn mappings(kind: &str) -> Vec<(Resource, &'static Value)> {
    let functions = resources("AWS::Serverless::Function");
    let all = functions.into_iter().flat_map(|function| {
        let events = function.property("Events").as_object().into_iter().flatten();
        events.map(move |(_, event)| (function, event))
    });
    all.filter(|(_, event)| event["Type"] == kind).map(|(of, event)| (of, &event["Properties"])).collect()
}

/// A mapping from the stream of events to a function.
#[derive(Clone, Debug)]
pub struct StreamMapping {
    pub batch_size: usize,
    /// Whether a batch that failed is split in two.
    pub bisects: bool,
    /// How often a batch is tried again after its first attempt. Splits do not count.
    pub retries_max: u32,
    /// The age at which a record goes to the failure destination instead of the function.
    pub record_age_max: Duration,
    /// Whether an answer may name the failed records of a batch.
    pub reports_failures: bool,
    /// The patterns of which a record must match one; none let every record pass.
    pub filters: Vec<Value>,
    /// The time-out of the function.
    pub time_out: Duration,
}

impl StreamMapping {
    /// Reads the mapping of a function, by the function's logical id.
    #[must_use]
    pub fn of(function: &str) -> Self {
        let (function, mapping) = found("DynamoDB", function);
        let filters = mapping["FilterCriteria"]["Filters"].as_array().into_iter().flatten();
        Self {
            batch_size: usize::try_from(number(&mapping["BatchSize"])).unwrap(),
            bisects: mapping["BisectBatchOnFunctionError"].as_bool().unwrap(),
            retries_max: u32::try_from(number(&mapping["MaximumRetryAttempts"])).unwrap(),
            record_age_max: Duration::from_secs(number(&mapping["MaximumRecordAgeInSeconds"])),
            reports_failures: reports_failures(mapping),
            filters: filters
                .map(|filter| serde_json::from_str(filter["Pattern"].as_str().unwrap()).unwrap())
                .collect(),
            time_out: seconds(function.property("Timeout")),
        }
    }
}

/// A mapping from a queue to a function.
#[derive(Clone, Debug)]
pub struct QueueMapping {
    /// The queue's name, without the deployment's prefix.
    pub queue: String,
    pub batch_size: usize,
    /// Whether an answer may name the failed messages of a batch.
    pub reports_failures: bool,
    /// The time-out of the function.
    pub time_out: Duration,
    /// How long a received message is hidden.
    pub visibility: Duration,
    /// How often a message is received before it moves to the dead-letter queue.
    pub receives_max: u32,
}

impl QueueMapping {
    /// Reads the mapping of a function, by the function's logical id.
    #[must_use]
    pub fn of(function: &str) -> Self {
        let (function, mapping) = found("SQS", function);
        let queue = text(&mapping["Queue"]);
        let id = queue.strip_prefix("${").and_then(|queue| queue.strip_suffix(".Arn}")).unwrap();
        let queue = resource(id);
        Self {
            queue: id.to_lowercase(),
            batch_size: usize::try_from(number(&mapping["BatchSize"])).unwrap(),
            reports_failures: reports_failures(mapping),
            time_out: seconds(function.property("Timeout")),
            visibility: seconds(queue.property("VisibilityTimeout")),
            receives_max: u32::try_from(number(&queue.property("RedrivePolicy")["maxReceiveCount"])).unwrap(),
        }
    }
}

fn found(kind: &str, function: &str) -> (Resource, &'static Value) {
    let mut all = mappings(kind).into_iter().filter(|(of, _)| of.id == function);
    let found = all.next().unwrap_or_else(|| panic!("{function} has no mapping of {kind}"));
    assert!(all.next().is_none(), "{function} has several mappings of {kind}");
    found
}

fn reports_failures(mapping: &Value) -> bool {
    mapping["FunctionResponseTypes"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|kind| kind == "ReportBatchItemFailures")
}

fn seconds(value: &Value) -> Duration {
    Duration::from_secs(number(value))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}
