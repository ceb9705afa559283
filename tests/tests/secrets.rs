//! The secret of links in AWS Secrets Manager, on an engine that has it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing helper fails its test")]

use aws_sdk_secretsmanager::Client;
use infra::{
    Clock, aws,
    secret::{Claims, Secrets},
};
use schema::{Time, WaiteeId};
use uuid::Uuid;
use waitlist_tests::{endpoints::endpoint, external};

const VISIT: WaiteeId = WaiteeId(Uuid::from_u128(7));

/// A process keeps the versions that it read for this long.
const KEPT_MS: i64 = 5 * 60_000;
/// A token that fits neither version makes a process read the secret again, after this long at the earliest.
const READ_AGAIN_MS: i64 = 10_000;

struct Scene {
    client: Client,
    id: String,
    clock: Clock,
}

impl Scene {
    async fn new() -> Self {
        let client = Client::new(&aws::config().await);
        let id = format!("links-{}", external::unique());
        client.create_secret().name(&id).secret_string(text('a')).send().await.unwrap();
        let clock = Clock::fixed("2026-11-21T03:00:00Z".parse::<Time>().unwrap());
        Self { client, id, clock }
    }

    /// The secret as a process sees it that has not read it yet.
    fn process(&self) -> Secrets {
        Secrets::of_manager(self.client.clone(), self.id.clone(), self.clock.clone())
    }

    async fn rotate(&self, letter: char) {
        self.client.put_secret_value().secret_id(&self.id).secret_string(text(letter)).send().await.unwrap();
    }
}

fn text(letter: char) -> String {
    letter.to_string().repeat(43)
}

#[tokio::test]
async fn tokens_of_both_versions_are_accepted_while_a_secret_rotates() {
    if endpoint(
        "tokens_of_both_versions_are_accepted_while_a_secret_rotates",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    )
    .is_none()
    {
        return;
    }
    let scene = Scene::new().await;
    let old = scene.process();
    let first = old.links().await.unwrap().visit_token(VISIT);

    scene.rotate('b').await;
    let new = scene.process();
    let second = new.links().await.unwrap().visit_token(VISIT);
    assert_ne!(first, second);
    assert_eq!(new.read_visit_token(&first).await.unwrap(), Some(VISIT));
    assert_eq!(old.read_visit_token(&second).await.unwrap(), None, "the secret was read a moment ago");
    scene.clock.advance_millis(READ_AGAIN_MS);
    assert_eq!(old.read_visit_token(&second).await.unwrap(), Some(VISIT), "it was read again");
    assert_eq!(old.links().await.unwrap().visit_token(VISIT), second);

    scene.rotate('c').await;
    assert_eq!(new.links().await.unwrap().visit_token(VISIT), second, "the versions are kept for a while");
    scene.clock.advance_millis(KEPT_MS);
    assert_ne!(new.links().await.unwrap().visit_token(VISIT), second);
    assert_eq!(new.read_visit_token(&second).await.unwrap(), Some(VISIT));
    assert_eq!(
        new.read_visit_token(&first).await.unwrap(),
        None,
        "it is of the version before the previous one"
    );
}

#[tokio::test]
async fn a_removed_previous_version_ends_its_tokens() {
    if endpoint("a_removed_previous_version_ends_its_tokens", "AWS_ENDPOINT_URL_SECRETS_MANAGER").is_none() {
        return;
    }
    let scene = Scene::new().await;
    let process = scene.process();
    let token = process.links().await.unwrap().visit_token(VISIT);
    scene.rotate('b').await;
    scene.clock.advance_millis(KEPT_MS);
    assert_eq!(process.read_visit_token(&token).await.unwrap(), Some(VISIT));

    let described = scene.client.describe_secret().secret_id(&scene.id).send().await.unwrap();
    let versions = described.version_ids_to_stages.unwrap();
    let (previous, _) =
        versions.iter().find(|(_, stages)| stages.contains(&"AWSPREVIOUS".to_owned())).unwrap();
    let remove = scene.client.update_secret_version_stage().secret_id(&scene.id).version_stage("AWSPREVIOUS");
    remove.remove_from_version_id(previous).send().await.unwrap();
    scene.clock.advance_millis(KEPT_MS);
    assert_eq!(process.read_visit_token(&token).await.unwrap(), None);
}

#[tokio::test]
async fn a_secret_that_is_missing_or_too_short_is_named() {
    if endpoint("a_secret_that_is_missing_or_too_short_is_named", "AWS_ENDPOINT_URL_SECRETS_MANAGER")
        .is_none()
    {
        return;
    }
    let scene = Scene::new().await;
    let missing = Secrets::of_manager(scene.client.clone(), "no-such-secret".into(), scene.clock.clone());
    let failure = missing.links().await.err().unwrap().chain();
    assert!(failure.starts_with("read the secret no-such-secret, version AWSCURRENT"), "{failure}");
    scene.client.put_secret_value().secret_id(&scene.id).secret_string("short").send().await.unwrap();
    let failure = Claims::of_manager(&scene.client, &scene.id).await.err().unwrap().chain();
    assert!(failure.ends_with("it must be a text of at least 32 random characters"), "{failure}");
}
