//! The setup lambda, as CloudFormation calls it.

use std::sync::{Arc, Mutex};

use axum::{Router, routing::put};
use infra::tables;
use schema::{
    projection::Name,
    table::{EVENTS, ROWS},
};
use serde_json::{Value, json};

use super::deployment::Deployment;

#[tokio::test]
async fn setup_creates_the_row_tables_answers_cloudformation_and_deletes_nothing() {
    let deployment = Deployment::new().await;
    let prefix = format!("{}-new", deployment.stage.prefix);
    tables::create(&deployment.stage.dynamodb, &prefix, &[EVENTS]).await.unwrap();
    let answers: Arc<Mutex<Vec<Value>>> = Arc::default();
    let address = answer_address(Arc::clone(&answers)).await;
    let setup = deployment.start("setup", &[("WAITLIST_PREFIX", &prefix)]);
    for kind in ["Create", "Update", "Create", "Delete"] {
        setup.invoke(request(kind, &address)).await.unwrap();
        let answer = answers.lock().unwrap().pop().unwrap();
        let expected = json!({
            "Status": "SUCCESS",
            "Reason": "",
            "PhysicalResourceId": format!("{prefix}-row-tables"),
            "StackId": "arn:stack",
            "RequestId": "request",
            "LogicalResourceId": "RowTables",
        });
        assert_eq!(answer, expected, "{kind}");
    }
    for table in ROWS.iter().map(|rows| rows.generation(0)) {
        deployment.stage.dynamodb.describe_table().table_name(table.name(&prefix)).send().await.unwrap();
    }
}

#[tokio::test]
async fn setup_tells_cloudformation_why_it_failed() {
    let deployment = Deployment::new().await;
    let answers: Arc<Mutex<Vec<Value>>> = Arc::default();
    let address = answer_address(Arc::clone(&answers)).await;
    let setup = deployment.start("setup", &[("WAITLIST_PREFIX", "no such name")]);
    setup.invoke(request("Create", &address)).await.unwrap();
    let answer = answers.lock().unwrap().pop().unwrap();
    assert_eq!(answer["Status"], "FAILED", "{answer}");
    let reason = answer["Reason"].as_str().unwrap();
    let names_a_stream = |name: Name| reason.contains(&name.stream().to_string());
    assert!(Name::ALL.into_iter().any(names_a_stream), "{answer}");
}

fn request(kind: &str, address: &str) -> Value {
    json!({
        "RequestType": kind,
        "ResponseURL": address,
        "StackId": "arn:stack",
        "RequestId": "request",
        "LogicalResourceId": "RowTables",
        "ResourceType": "Custom::RowTables",
        "ResourceProperties": { "Tables": [] },
    })
}

/// An address that keeps what is put there.
async fn answer_address(answers: Arc<Mutex<Vec<Value>>>) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}/answer?signature=x", listener.local_addr().unwrap());
    let keep = put(async move |body: String| {
        answers.lock().unwrap().push(serde_json::from_str(&body).unwrap());
    });
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/answer", keep)).await });
    address
}
