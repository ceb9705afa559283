//! The logs and metrics of lambdas: JSON, one log line for each request, and no personal data.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use waitlist_tests::events::HttpRequest;

use super::deployment::{Deployment, main_room};

/// Parts of names and addresses, none of which may be logged.
const CANARIES: [&str; 6] = ["Canaria", "5552671", "canary", "secret-note", "because-of", "eyJ"];

#[tokio::test]
async fn the_logs_hold_no_personal_data_of_accepted_or_refused_requests() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await;
    let parties = format!("/v1/waitlists/{}/waitees", list.id());
    let party = json!({
        "name": "Canaria", "party_size": 4, "phone": "(415) 555-2671", "email": "canary@example.com", "note": "secret-note",
    });
    let joined = host.post(&parties, &party).await;
    assert_eq!(joined.status, 201, "{joined:?}");
    let visit = format!("/v1/waitees/{}", joined.id());
    assert_eq!(host.post(&format!("{visit}/call"), &json!({})).await.status, 202);
    assert_eq!(
        host.post(&format!("{visit}/leave"), &json!({ "reason": "because-of Canaria" })).await.status,
        200
    );

    // One refusal of each kind: value, type, field, form, state, path, query and header.
    let mut refused = Vec::new();
    let mut wrong = party.clone();
    wrong["phone"] = json!("555-2671 canary");
    wrong["party_size"] = json!(0);
    refused.push(host.post(&parties, &wrong).await.status);
    wrong["party_size"] = json!("Canaria");
    refused.push(host.post(&parties, &wrong).await.status);
    refused.push(host.post(&parties, &json!({ "Canaria": 1 })).await.status);
    refused.push(
        deployment
            .send(host.request("POST", &parties).header("content-type", "application/json").text("{Canaria"))
            .await
            .status,
    );
    refused.push(
        host.post(&format!("{visit}/confirm"), &json!({ "reason": "because-of Canaria" })).await.status,
    );
    refused.push(host.post("/v1/waitlists/Canaria/waitees", &party).await.status);
    refused.push(host.get("/v1/waitees/canary@example.com/Canaria", "").await.status);
    refused.push(deployment.send(host.request("GET", &parties).query("Canaria", "5552671")).await.status);
    refused.push(
        deployment.send(host.request("GET", &parties).header("Sync-Token", "Canaria@5552671")).await.status,
    );
    refused.push(
        deployment
            .send(host.request("POST", &format!("{visit}/restore")).header("If-Match", "canary"))
            .await
            .status,
    );
    refused.push(
        deployment
            .send(HttpRequest::new("POST", &parties).header("Authorization", "Bearer canary").json(&party))
            .await
            .status,
    );
    assert_eq!(refused[..4], [422, 400, 400, 400]);
    assert_eq!(refused[4..], [409, 404, 404, 400, 400, 400, 401]);

    let event = deployment.stream(4).await;
    deployment.projector().await.invoke(event).await.unwrap();
    for path in [&parties, &visit, &format!("{visit}/history")] {
        let shown = host.get(path, "").await;
        assert_eq!(shown.status, 200, "{shown:?}");
    }
    let requests = refused.len() + 4 + 3;

    let deployment_prefix = deployment.stage.prefix.clone();
    let logs = deployment.stop().await;
    for canary in CANARIES {
        assert!(!logs.contains(canary), "{canary} is in the logs:\n{logs}");
    }
    let (metrics, lines): (Vec<Value>, Vec<Value>) = logs
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .partition(|line| line["_aws"].is_object());
    assert!(lines.iter().all(|line| line["level"].is_string() && line["timestamp"].is_string()), "{logs}");
    let answered: Vec<_> = lines.iter().filter(|line| line["message"] == "answered").collect();
    assert_eq!(answered.len(), requests, "a line for each request:\n{logs}");
    assert!(answered.iter().all(|line| line["request_id"].is_string() && line["status"].is_u64()), "{logs}");
    for line in answered {
        assert!(!of_span(line, "invocation").is_null(), "{line}");
        assert_eq!(of_span(line, "correlation"), &line["request_id"], "{line}");
    }

    let sum = |name: &str, class: Option<&str>| -> u64 {
        let of_class = metrics.iter().filter(|line| class.is_none_or(|class| line["class"] == class));
        of_class.filter_map(|line| line[name].as_u64()).sum()
    };
    assert_eq!(sum("http_answers", None), requests as u64, "{logs}");
    assert_eq!(sum("http_answers", Some("4xx")), refused.len() as u64);
    assert_eq!(sum("http_answers", Some("5xx")), 0);
    let appends: usize =
        metrics.iter().filter_map(|line| Some(line["append_milliseconds"].as_array()?.len())).sum();
    assert_eq!(appends, 4, "a list, a party, a call and its end: {logs}");
    let lags = metrics.iter().filter(|line| line["feed_lag_milliseconds"].is_array());
    let projections: BTreeSet<&str> = lags.map(|line| line["projection"].as_str().unwrap()).collect();
    assert_eq!(projections, ["waitees", "waitlists"].into());
    let namespace = format!("Waitlist/{deployment_prefix}");
    for line in metrics {
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(declared["Namespace"], namespace, "{line}");
        assert!(line["invocation"].is_string(), "{line}");
    }
}

/// The value of a field in a line's spans.
fn of_span<'l>(line: &'l Value, field: &str) -> &'l Value {
    let spans = line["spans"].as_array().into_iter().flatten();
    spans.map(|span| &span[field]).find(|value| !value.is_null()).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn a_failure_is_logged_once_with_its_cause_and_not_shown_to_the_client() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await;
    let gone = schema::table::EVENTS.name(&deployment.stage.prefix);
    deployment.stage.dynamodb.delete_table().table_name(&gone).send().await.unwrap();
    let answer = deployment
        .send(host.request("POST", &format!("/v1/waitlists/{}/close", list.id())).json(&json!({})))
        .await;
    assert_eq!(answer.problem(500), "internal");
    assert!(!answer.body.to_string().contains(&gone), "{answer:?}");
    let request_id = answer.header("x-request-id").to_owned();
    let refused = deployment.send(HttpRequest::new("POST", "/v1/waitlists").json(&main_room())).await;
    assert_eq!(refused.problem(401), "unauthorized");

    let logs = deployment.stop().await;
    let errors: Vec<Value> = logs
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["level"] == "ERROR")
        .collect();
    assert_eq!(errors.len(), 1, "{logs}");
    assert_eq!(errors[0]["request_id"], json!(request_id));
    assert_eq!(of_span(&errors[0], "correlation"), request_id.as_str(), "{logs}");
    assert!(errors[0]["cause"].as_str().unwrap().contains("ResourceNotFound"), "{logs}");
}

#[tokio::test]
async fn a_read_that_finds_a_row_behind_observes_for_how_long_it_lacks_an_event() {
    let deployment = Deployment::new().await;
    let host = deployment.host();
    let list = host.list().await; // its record is lost
    let path = format!("/v1/waitlists/{}", list.id());
    for read in 0..2 {
        if read == 1 {
            let records = deployment.stream(1).await;
            deployment.projector().await.invoke(records).await.unwrap();
        }
        assert_eq!(host.get(&path, list.header("sync-token")).await.status, 200);
    }
    let logs = deployment.stop().await;
    let lines = logs.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let observed = lines.filter(|line| line["projection"] == "waitlists");
    let observed: Vec<f64> = observed
        .flat_map(|line| line["feed_lag_milliseconds"].as_array().cloned().unwrap_or_default())
        .map(|lag| lag.as_f64().unwrap())
        .collect();
    assert_eq!(observed.len(), 2, "by the read before the projector, and by the projector: {logs}");
}
