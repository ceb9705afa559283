//! Alarms and dashboard of the template against the declared metrics and the runbook in the documentation.

use std::{collections::BTreeSet, fs};

use infra::telemetry::metrics::{DECLARED, Declared};
use serde_json::{Value, json};
use waitlist_tests::template::{Resource, infra, resource, resources, text};

const OWN: &str = "Waitlist/${AWS::StackName}";
const RUNBOOK: &str = "infra/docs/operations.md#";

/// The metrics of AWS that alarms and dashboard use, with their dimensions.
const OF_AWS: [(&str, &str, &[&str]); 9] = [
    ("AWS/ApiGateway", "5xx", &["ApiId"]),
    ("AWS/ApiGateway", "Latency", &["ApiId"]),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", &["QueueName"]),
    ("AWS/Lambda", "IteratorAge", &["FunctionName"]),
    ("AWS/Lambda", "Throttles", &["FunctionName"]),
    ("AWS/Lambda", "Throttles", &[]), // of all functions of the account
    ("AWS/Lambda", "Errors", &["FunctionName"]),
    ("AWS/DynamoDB", "ReadThrottleEvents", &["TableName"]),
    ("AWS/DynamoDB", "WriteThrottleEvents", &["TableName"]),
];

/// A metric as an alarm or the dashboard names it.
#[derive(Debug)]
struct Named {
    namespace: String,
    name: String,
    dimensions: BTreeSet<String>,
}

impl Named {
    fn read(alarm: &Resource) -> Self {
        let pairs = alarm.property("Dimensions").as_array().into_iter().flatten();
        Self {
            namespace: text(alarm.property("Namespace")),
            name: text(alarm.property("MetricName")),
            dimensions: pairs.map(|pair| text(&pair["Name"])).collect(),
        }
    }

    fn assert_exists(&self) {
        let is_as = |of: &[&str]| {
            of.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>() == self.dimensions
        };
        let exists = if self.namespace == OWN {
            DECLARED.iter().any(|metric| metric.name == self.name && is_as(metric.dimensions))
        } else {
            OF_AWS.iter().any(|(space, name, of)| *space == self.namespace && *name == self.name && is_as(of))
        };
        assert!(exists, "there is no metric {self:?}");
    }
}

fn alarms() -> Vec<Resource> {
    resources("AWS::CloudWatch::Alarm")
}

#[test]
fn every_alarm_watches_metrics_that_exist_and_tells_the_topic_begin_and_end() {
    let topic = json!([{ "Fn::If": ["HasAlarmTopic", { "Ref": "AlarmTopic" }, { "Ref": "Alarms" }] }]);
    for alarm in alarms() {
        Named::read(&alarm).assert_exists();
        assert_eq!(
            (alarm.property("AlarmActions"), alarm.property("OKActions")),
            (&topic, &topic),
            "{}",
            alarm.id
        );
    }
}

/// The sections of the chapter on alarms, with their texts.
fn sections() -> Vec<(String, String)> {
    let document = fs::read_to_string(infra("docs/operations.md")).unwrap();
    let (_, rest) = document.split_once("\n## Alarms\n").expect("operations.md has a chapter on alarms");
    let chapter = rest.split("\n## ").next().unwrap();
    let sections = chapter.split("\n### ").skip(1);
    sections
        .map(|of| of.split_once('\n').unwrap())
        .map(|(heading, body)| (heading.to_owned(), body.to_owned()))
        .collect()
}

#[test]
fn every_alarm_names_its_section_of_the_runbook_and_every_section_has_an_alarm() {
    let named: BTreeSet<String> = alarms()
        .iter()
        .map(|alarm| {
            let description = text(alarm.property("AlarmDescription"));
            let anchor =
                description.split_once(RUNBOOK).unwrap_or_else(|| panic!("{}: {description}", alarm.id)).1;
            anchor.to_owned()
        })
        .collect();
    let anchors = sections().into_iter().map(|(heading, _)| heading.to_lowercase().replace(' ', "-"));
    assert_eq!(anchors.collect::<BTreeSet<_>>(), named);
}

#[test]
fn every_section_of_the_runbook_has_its_four_parts() {
    for (heading, body) in sections() {
        let mut rest = body.as_str();
        for part in ["**Meaning.** ", "**Look.** ", "**Do.** ", "**Over** "] {
            let found = rest.split_once(&format!("- {part}"));
            rest = found.unwrap_or_else(|| panic!("{heading} lacks {part}")).1;
        }
    }
}

#[test]
fn the_dashboard_shows_every_alarm_and_every_metric() {
    let body = resource("Dashboard").property("DashboardBody")["Fn::Sub"].as_str().unwrap();
    for alarm in alarms() {
        assert!(body.contains(&format!("${{{}.Arn}}", alarm.id)), "{}", alarm.id);
    }
    let dashboard: Value = serde_json::from_str(body).unwrap();
    let widgets = dashboard["widgets"].as_array().unwrap().iter();
    let rows = widgets.flat_map(|widget| widget["properties"]["metrics"].as_array().into_iter().flatten());
    let shown: Vec<Named> = rows.map(|row| shown(row.as_array().unwrap())).collect();
    shown.iter().for_each(Named::assert_exists);
    let is_deployed = |metric: &&Declared| !metric.description.contains("Only on a local server");
    for Declared { name, .. } in DECLARED.iter().filter(is_deployed) {
        assert!(shown.iter().any(|metric| metric.name == *name), "the dashboard lacks {name}");
    }
}

/// A metric of a widget: namespace, name, then names and values of dimensions, and options; or a search.
fn shown(row: &[Value]) -> Named {
    let Some(search) = row[0]["expression"].as_str() else {
        let texts: Vec<String> = row.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let dimensions = texts[2..].iter().step_by(2).cloned().collect();
        return Named { namespace: texts[0].clone(), name: texts[1].clone(), dimensions };
    };
    let (schema, rest) = search.strip_prefix("SEARCH('{").unwrap().split_once("} MetricName=\"").unwrap();
    let mut schema = schema.split(',').map(str::to_owned);
    Named {
        namespace: schema.next().unwrap(),
        name: rest.split_once('"').unwrap().0.to_owned(),
        dimensions: schema.collect(),
    }
}
