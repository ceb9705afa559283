//! A lambda that lacks a setting or a key fails at its start and names it.

use serde_json::json;

use super::deployment::Deployment;

const LAMBDAS: [&str; 10] = [
    "authorizer",
    "accounts",
    "hosts",
    "guests",
    "reads",
    "projector",
    "reactor",
    "eraser",
    "deliver",
    "tick",
];

#[tokio::test]
async fn a_missing_or_wrong_setting_is_named() {
    let deployment = Deployment::new().await;
    for name in LAMBDAS {
        let error = deployment.start(name, &[("WAITLIST_KEYS_DIR", "")]).invoke(json!({})).await.unwrap_err();
        assert_eq!(error.error_type, "Runtime.ExitError", "{name}: {error}");
        assert!(
            error.message.contains("exit status: 1") && error.message.contains("WAITLIST_KEYS_DIR"),
            "{name}: {error}"
        );
    }
    let half = [("WAITLIST_RETRIES_URL", "https://sqs.example/retries")];
    let error = deployment.start("projector", &half).invoke(json!({})).await.unwrap_err();
    assert!(error.message.contains("WAITLIST_RETRIES_DEAD_URL"), "{error}");
    let error = deployment
        .start("accounts", &[("WAITLIST_LIMITS", "sign-ins=3/1m")])
        .invoke(json!({}))
        .await
        .unwrap_err();
    assert!(
        error.message.contains("WAITLIST_LIMITS") && error.message.contains("sign-in-account"),
        "{error}"
    );
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
    for name in LAMBDAS {
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
    assert!(
        error.message.contains("does not hold exactly 32 bytes") || error.message.contains("NotAKey"),
        "{error}"
    );
    assert_eq!(std::fs::read(other.path().join("master")).unwrap(), b"too short", "the damaged key is kept");
}
