//! The simulated Runtime API, tested with a lambda written in Python after AWS's description.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};
use waitlist_tests::runtime_api::Function;

const LAMBDA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runtime_api/lambda.py");

/// Starts the lambda. A Python installed for one user is found through that user's home.
fn started(env: &[(&str, &str)]) -> Function {
    let home = std::env::var("HOME").unwrap_or_default();
    Function::start(Path::new(LAMBDA), &[&[("HOME", home.as_str())], env].concat())
}

#[tokio::test]
async fn a_function_answers_one_event_after_another() {
    let function = started(&[]);
    for n in 0..3 {
        let event = json!({ "do": "echo", "n": n, "name": "Zoë" });
        assert_eq!(function.invoke(event.clone()).await, Ok(event));
    }
}

#[tokio::test]
async fn concurrent_callers_each_get_their_own_answer() {
    let function = started(&[]);
    let events = [json!({ "do": "echo", "n": 1 }), json!({ "do": "echo", "n": 2 })];
    let (first, second) =
        tokio::join!(function.invoke(events[0].clone()), function.invoke(events[1].clone()));
    assert_eq!([first.unwrap(), second.unwrap()], events);
}

#[tokio::test]
async fn a_function_gets_lambdas_environment_and_inherits_nothing_else() {
    let function = started(&[("WAITLIST_TABLE", "events"), ("AWS_REGION", "eu-west-1")]);
    let told = function.invoke(json!({ "do": "tell" })).await.unwrap();
    let (context, environment) = (&told["context"], &told["environment"]);
    assert_eq!(context["lambda-runtime-aws-request-id"].as_str().map(str::len), Some(36));
    assert_eq!(
        context["lambda-runtime-invoked-function-arn"],
        "arn:aws:lambda:us-east-1:000000000000:function:lambda"
    );
    assert!(context["lambda-runtime-trace-id"].as_str().is_some_and(|id| id.starts_with("Root=1-")));
    assert!(context["lambda-runtime-deadline-ms"].as_str().is_some_and(|ms| ms.parse::<i64>().is_ok()));
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "lambda");
    assert_eq!(environment["WAITLIST_TABLE"], "events");
    assert_eq!(environment["AWS_REGION"], "eu-west-1", "a given variable overrides Lambda's");
    assert_eq!(environment["CARGO_MANIFEST_DIR"], Value::Null);
}

#[tokio::test]
async fn an_error_keeps_its_type_and_the_function_keeps_running() {
    let function = started(&[]);
    let error = function.invoke(json!({ "do": "fail" })).await.unwrap_err();
    assert_eq!((error.error_type.as_str(), error.message.as_str()), ("Refused", "not today"));
    assert!(function.invoke(json!({ "do": "echo" })).await.is_ok());
}

#[tokio::test]
async fn a_function_that_ends_is_an_error_that_quotes_its_last_output() {
    let function = started(&[]);
    for event in [json!({ "do": "die" }), json!({ "do": "echo" })] {
        let error = function.invoke(event).await.unwrap_err();
        assert_eq!(error.error_type, "Runtime.ExitError");
        assert!(error.message.contains("exit status: 1") && error.message.contains("a last word"), "{error}");
    }
}

#[tokio::test]
async fn a_function_that_cannot_start_says_why() {
    let function = started(&[("FAIL_TO_START", "1")]);
    let error = function.invoke(json!({ "do": "echo" })).await.unwrap_err();
    assert_eq!((error.error_type.as_str(), error.message.as_str()), ("Config", "no table is configured"));
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_killed() {
    let function = started(&[]).with_time_limit(Duration::from_secs(2));
    for event in [json!({ "do": "sleep" }), json!({ "do": "echo" })] {
        assert_eq!(function.invoke(event).await.unwrap_err().error_type, "Sandbox.Timedout");
    }
    function.stop().await;
}

#[tokio::test]
async fn a_stopped_function_returns_all_its_output() {
    let function = started(&[]);
    assert_eq!(function.invoke(json!({ "do": "say" })).await, Ok(Value::Null));
    let log = function.stop().await;
    assert!(log.contains("out loud\n") && log.contains("under its breath\n"), "{log}");
}
