//! A lambda that lacks a setting or a key fails at its start and names it.

use infra::function::{FUNCTIONS, Function, Need};
use serde_json::json;

use super::deployment::Deployment;

/// The settings that stand for a need. Without the first, the error names the others.
fn settings(need: Need) -> (&'static str, &'static str) {
    match need {
        Need::MasterKey => ("WAITLIST_KEYS_DIR", "WAITLIST_KMS_KEY"),
        Need::TokenKeys => ("WAITLIST_KEYS_DIR", "WAITLIST_TOKEN_KEY"),
        Need::Links => ("WAITLIST_KEYS_DIR", "WAITLIST_LINKS_SECRET"),
        Need::Claims => ("WAITLIST_KEYS_DIR", "WAITLIST_CLAIMS_SECRET"),
        Need::Retries => ("WAITLIST_RETRIES_URL", "WAITLIST_RETRIES_URL"),
        Need::Deliveries => ("WAITLIST_DELIVERIES_URL", "WAITLIST_DELIVERIES_URL"),
        Need::Erasures => ("WAITLIST_ERASURES_URL", "WAITLIST_ERASURES_URL"),
        Need::Rebuilds => ("WAITLIST_REBUILDS_URL", "WAITLIST_REBUILDS_URL"),
        Need::Sweeps => ("WAITLIST_SWEEPS_URL", "WAITLIST_SWEEPS_URL"),
        Need::StreamFailures => ("WAITLIST_STREAM_FAILURES_URL", "WAITLIST_STREAM_FAILURES_URL"),
        Need::PublicUrl => ("WAITLIST_PUBLIC_URL", "WAITLIST_PUBLIC_URL"),
    }
}

/// Settings of the key kinds that a lambda needs besides `need`, so that only this one is missing.
fn other_keys(function: &Function, need: Need) -> Vec<(&'static str, &'static str)> {
    let others = function.needs.iter().filter(|other| **other != need).map(|other| settings(*other));
    others
        .filter(|(setting, _)| *setting == "WAITLIST_KEYS_DIR")
        .map(|(_, named)| (named, "elsewhere"))
        .collect()
}

#[tokio::test]
async fn a_lambda_names_each_setting_that_it_needs_and_lacks() {
    let deployment = Deployment::new().await;
    for function in FUNCTIONS {
        for need in function.needs {
            let (setting, named) = settings(*need);
            let more = [vec![(setting, "")], other_keys(function, *need)].concat();
            let error = deployment.start(function.name, &more).invoke(json!({})).await.unwrap_err();
            assert_eq!(error.error_type, "Runtime.ExitError", "{}: {error}", function.name);
            assert!(
                error.message.contains("exit status: 1") && error.message.contains(named),
                "{} without {named}: {error}",
                function.name
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_setting_is_named() {
    let deployment = Deployment::new().await;
    let error = deployment
        .start("accounts", &[("WAITLIST_LIMITS", "sign-ins=3/1m")])
        .invoke(json!({}))
        .await
        .unwrap_err();
    assert!(
        error.message.contains("WAITLIST_LIMITS") && error.message.contains("sign-in-account"),
        "{error}"
    );
    let idle = deployment.start("sweep", &[("WAITLIST_SWEEP_READ_UNITS", "0")]).invoke(json!({})).await;
    assert!(idle.unwrap_err().message.contains("WAITLIST_SWEEP_READ_UNITS"));
    for (setting, value) in [
        ("WAITLIST_MAIL_FROM", ""),
        ("WAITLIST_MAIL_FROM", "@"),
        ("WAITLIST_MAIL_FROM", "Waitlist hello@example.com"),
        ("WAITLIST_MAIL_CONFIGURATION_SET", "no such set"),
        ("WAITLIST_PUBLIC_URL", ""),
        ("WAITLIST_PUBLIC_URL", "waitlist.example"),
        ("WAITLIST_SMS_SENDER_ID", "no such sender"),
        ("WAITLIST_SENDS_PER_SECOND", "fast"),
        ("WAITLIST_TEXTS_PER_DAY", "-1"),
    ] {
        let usual = ("WAITLIST_MAIL_FROM", "Waitlist <hello@example.com>");
        let settings =
            if setting == usual.0 { vec![(setting, value)] } else { vec![usual, (setting, value)] };
        let error = deployment.start("deliver", &settings).invoke(json!({})).await.unwrap_err();
        assert!(
            error.message.contains("exit status: 1") && error.message.contains(setting),
            "{setting}: {error}"
        );
    }
}

#[tokio::test]
async fn a_missing_or_damaged_key_is_named() {
    let deployment = Deployment::new().await;
    let error = deployment
        .start("hosts", &[("WAITLIST_KEYS_DIR", "/nowhere/keys")])
        .invoke(json!({}))
        .await
        .unwrap_err();
    assert!(error.message.contains("exit status: 1") && error.message.contains("/nowhere/keys"), "{error}");

    let other = tempfile::tempdir().unwrap();
    let directory = other.path().display().to_string();
    for name in ["authorizer", "accounts", "hosts", "guests", "reads", "deliver", "eraser"] {
        let error =
            deployment.start(name, &[("WAITLIST_KEYS_DIR", &directory)]).invoke(json!({})).await.unwrap_err();
        assert!(
            error.message.contains("exit status: 1") && error.message.contains(&directory),
            "{name}: {error}"
        );
    }
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0, "lambdas create no keys");

    for key in std::fs::read_dir(&deployment.stage.keys).unwrap().map(Result::unwrap) {
        std::fs::copy(key.path(), other.path().join(key.file_name())).unwrap();
    }
    std::fs::write(other.path().join("master"), "too short").unwrap();
    let error =
        deployment.start("hosts", &[("WAITLIST_KEYS_DIR", &directory)]).invoke(json!({})).await.unwrap_err();
    assert!(error.message.contains("does not hold exactly 32 bytes"), "{error}");
    assert_eq!(std::fs::read(other.path().join("master")).unwrap(), b"too short", "the damaged key is kept");
}

#[tokio::test]
async fn a_lambda_with_another_claims_key_does_not_start() {
    let deployment = Deployment::new().await;
    deployment.backend().check_claims().await.unwrap();
    let other = tempfile::tempdir().unwrap();
    for key in std::fs::read_dir(&deployment.stage.keys).unwrap().map(Result::unwrap) {
        std::fs::copy(key.path(), other.path().join(key.file_name())).unwrap();
    }
    std::fs::write(other.path().join("claims"), [7; 32]).unwrap();
    let directory = other.path().display().to_string();
    for name in ["accounts", "eraser"] {
        let error =
            deployment.start(name, &[("WAITLIST_KEYS_DIR", &directory)]).invoke(json!({})).await.unwrap_err();
        assert!(
            error.message.contains("exit status: 1")
                && error.message.contains("the claims key is not the one"),
            "{name}: {error}"
        );
    }
}
