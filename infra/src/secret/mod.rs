//! The deployment's two secrets: `links`, which rotates, and `claims`, which never changes. Both rest in AWS Secrets Manager, or
//! in key files of the local backend.

mod claims;
mod links;
mod manager;

use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_sdk_secretsmanager::Client;
use schema::{SessionId, WaiteeId};

use self::manager::Manager;
use crate::{
    clock::Clock,
    crypto::{Secret, framed},
    failure::Failure,
};

pub(crate) use self::links::CURRENT;
pub use self::{
    claims::Claims,
    links::{Links, Mailed, MailedToken},
};

/// Half an HMAC-SHA256: 128 bits cannot be guessed where attempts are counted.
const CODE_BYTES: usize = 16;
type Code = [u8; CODE_BYTES];

/// The source of [`Links`]. Clones share it.
#[derive(Clone)]
pub struct Secrets(Arc<Source>);

enum Source {
    /// Of a function that needs no tokens.
    Unused,
    Files(Arc<Links>),
    Manager(Manager),
}

impl Secrets {
    pub(crate) fn unused() -> Self {
        Self(Arc::new(Source::Unused))
    }

    #[must_use]
    pub fn of_files(links: Links) -> Self {
        Self(Arc::new(Source::Files(Arc::new(links))))
    }

    /// Uses the secret with this name or ARN.
    #[must_use]
    pub fn of_manager(client: Client, id: String, clock: Clock) -> Self {
        Self(Arc::new(Source::Manager(Manager::new(client, id, clock))))
    }

    /// Returns the secret, to make tokens with.
    ///
    /// # Errors
    /// Secrets Manager does not answer, or the process did not load the secret.
    pub async fn links(&self) -> Result<Arc<Links>, Failure> {
        match &*self.0 {
            Source::Unused => Err(Failure::broken(
                "use the secret of links",
                "the process did not load it; see Need::Links",
            )),
            Source::Files(links) => Ok(links.clone()),
            Source::Manager(manager) => manager.links().await,
        }
    }

    /// Returns the visit that a token is for. `None` when its MAC does not match.
    ///
    /// # Errors
    /// As [`Secrets::links`].
    pub async fn read_visit_token(&self, text: &str) -> Result<Option<WaiteeId>, Failure> {
        self.read(|links| links.read_visit_token(text)).await
    }

    /// Returns session and number of a refresh token. `None` when its MAC does not match.
    ///
    /// # Errors
    /// As [`Secrets::links`].
    pub async fn read_refresh_token(&self, text: &str) -> Result<Option<(SessionId, u32)>, Failure> {
        self.read(|links| links.read_refresh_token(text)).await
    }

    /// Whether the token of an e-mail is genuine for this purpose and `seq`. The caller checks its end.
    ///
    /// # Errors
    /// As [`Secrets::links`].
    pub async fn was_mailed(&self, purpose: Mailed, token: &MailedToken, seq: u64) -> Result<bool, Failure> {
        Ok(self.read(|links| links.was_mailed(purpose, token, seq).then_some(())).await?.is_some())
    }

    /// Reads a token. When its MAC fits neither version, the secret is read again and the token once more, because another process
    /// may have signed it after a rotation.
    async fn read<T>(&self, read: impl Fn(&Links) -> Option<T>) -> Result<Option<T>, Failure> {
        if let Some(token) = read(&*self.links().await?) {
            return Ok(Some(token));
        }
        match &*self.0 {
            Source::Unused | Source::Files(_) => Ok(None),
            Source::Manager(manager) => Ok(read(&*manager.latest().await?)),
        }
    }
}

impl Claims {
    /// Reads the secret with this name or ARN.
    ///
    /// # Errors
    /// Secrets Manager does not answer, or the secret is too short.
    pub async fn of_manager(client: &Client, id: &str) -> Result<Self, Failure> {
        manager::claims(client, id).await
    }
}

fn code(secret: &Secret, purpose: &str, parts: &[&[u8]]) -> Code {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.derive(purpose.as_bytes()).bytes());
    let mut code = [0; CODE_BYTES];
    code.iter_mut().zip(hmac::sign(&key, &framed(parts)).as_ref()).for_each(|(half, full)| *half = *full);
    code
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}
