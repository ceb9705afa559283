//! Secrets in AWS Secrets Manager.

use std::{sync::Arc, time::Duration};

use aws_sdk_secretsmanager::{Client, operation::get_secret_value::GetSecretValueError};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use tracing::warn;
use zeroize::Zeroizing;

use super::{Claims, Links};
use crate::{
    clock::{Clock, Moment},
    crypto::Secret,
    failure::Failure,
};

/// A process reads the secret again at the next use after this time. Until then it uses the versions that it read, or after a
/// failed read the older ones.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(5 * 60);

/// The shortest time between two reads because of a MAC that fits neither version, so that forged tokens cannot make a process
/// call Secrets Manager for each request.
const READ_FOR_MISFIT_AFTER: Duration = Duration::from_secs(10);

/// The shortest secret that is accepted, in characters: 32 random letters and digits are worth 190 bits.
const SECRET_CHARS_MIN: usize = 32;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// The secret of links, read at first use and from time to time.
pub(super) struct Manager {
    client: Client,
    id: String,
    clock: Clock,
    read: Mutex<Option<Read>>,
}

struct Read {
    links: Arc<Links>,
    at: Moment,
}

impl Manager {
    pub(super) fn new(client: Client, id: String, clock: Clock) -> Self {
        Self { client, id, clock, read: Mutex::new(None) }
    }

    /// Returns both versions, read at most [`READ_AGAIN_AFTER`] ago if Secrets Manager answers.
    pub(super) async fn links(&self) -> Result<Arc<Links>, Failure> {
        self.read_within(READ_AGAIN_AFTER).await
    }

    /// Returns both versions, read at most [`READ_FOR_MISFIT_AFTER`] ago if Secrets Manager answers, for a MAC that fits neither.
    pub(super) async fn latest(&self) -> Result<Arc<Links>, Failure> {
        self.read_within(READ_FOR_MISFIT_AFTER).await
    }

    /// Requests that find the versions too old wait for one read. If it fails, the versions read before are used; the first read
    /// must succeed.
    async fn read_within(&self, age_max: Duration) -> Result<Arc<Links>, Failure> {
        let mut read = self.read.lock().await;
        let now = self.clock.moment();
        if let Some(fresh) = read.as_ref().filter(|read| now.since(read.at) < age_max) {
            return Ok(fresh.links.clone());
        }
        let links = match (self.read_versions().await, read.take()) {
            (Ok(links), _) => Arc::new(links),
            (Err(failure), Some(old)) => {
                warn!(
                    cause = failure.chain(),
                    "could not read the secret of links; the versions read before stay in use"
                );
                old.links
            }
            (Err(failure), None) => return Err(failure),
        };
        *read = Some(Read { links: links.clone(), at: now });
        Ok(links)
    }

    async fn read_versions(&self) -> Result<Links, Failure> {
        let current = version(&self.client, &self.id, CURRENT).await?;
        let current = current.ok_or_else(|| {
            Failure::broken(format!("read the secret {}", self.id), "it has no current version")
        })?;
        Ok(Links::new(current, version(&self.client, &self.id, PREVIOUS).await?))
    }
}

/// Reads the secret of claims. It is read once, because it is never rotated.
pub(super) async fn claims(client: &Client, id: &str) -> Result<Claims, Failure> {
    let secret = version(client, id, CURRENT).await?;
    let secret = secret
        .ok_or_else(|| Failure::broken(format!("read the secret {id}"), "it has no current version"))?;
    Ok(Claims::new(secret))
}

/// Reads one version of a secret. Returns `None` when there is no previous version; a missing current one is an error. The key is the SHA-256 of the secret's text.
async fn version(client: &Client, id: &str, stage: &str) -> Result<Option<Secret>, Failure> {
    let doing = || format!("read the secret {id}, version {stage}");
    let answer = match client.get_secret_value().secret_id(id).version_stage(stage).send().await {
        Ok(answer) => answer,
        Err(error) => {
            return match error.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) if stage == PREVIOUS => Ok(None),
                _ => Err(Failure::aws(doing(), error)),
            };
        }
    };
    let text = Zeroizing::new(answer.secret_string.unwrap_or_default());
    if text.chars().count() < SECRET_CHARS_MIN {
        let advice = format!("it must be a text of at least {SECRET_CHARS_MIN} random characters");
        return Err(Failure::broken(doing(), advice));
    }
    Ok(Secret::take(Sha256::digest(text.as_bytes()).to_vec()))
}
