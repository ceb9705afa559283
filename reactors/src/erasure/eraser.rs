//! The eraser: works off the queue of those who are to be forgotten.
//!
//! Each step may be repeated, and the fact that ends them is appended last: whatever dies in between, the message comes again and
//! what is left is done. That somebody is to be forgotten stands in the log before any of this, so no command can follow it.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use commands::forget::{self, Due};
use infra::{Backend, Failure, fault, vault::Subject};
use schema::{Sealed, StreamId, UserId, sealed::Opened, value::Email};
use tracing::info;

use crate::intent::{Intent, work};

/// The handler of the eraser lambda.
#[derive(Clone)]
pub struct Eraser {
    backend: Backend,
}

impl Eraser {
    /// An eraser of this backend's people.
    #[must_use]
    pub fn new(backend: Backend) -> Self {
        Self { backend }
    }

    /// Handles a batch of messages; those that fail come again until they are dead letters.
    pub async fn messages(&self, event: SqsEvent) -> SqsBatchResponse {
        work(&self.backend, event, |errand| async move {
            match errand.intent {
                Intent::Forget { stream } => forget(&self.backend, stream).await,
                Intent::Attend { .. } | Intent::Clear { .. } | Intent::React { .. } => {
                    Err(Failure::broken("forget somebody", "the message is for another queue"))
                }
            }
        })
        .await
    }
}

/// Forgets an account or a guest, if that was asked for and is not done. The stream is read twice; one write unit for the
/// tombstone, one for the fact and one for the audit index; for an account, one read and one write unit more.
///
/// # Errors
/// A table did not answer, or what it holds is damaged.
pub async fn forget(backend: &Backend, stream: StreamId) -> Result<(), Failure> {
    let Some(due) = forget::due(backend, stream).await? else {
        info!(%stream, "nothing to forget");
        return Ok(());
    };
    fault::point("eraser.due");
    let Due { subject, email, .. } = &due;
    if let (Subject::Account(id), Some(email)) = (*subject, email) {
        release(backend, id, email).await?;
        fault::point("eraser.released");
    }
    backend.vault.bury(*subject).await?;
    fault::point("eraser.buried");
    forget::done(backend, &due).await?;
    fault::point("eraser.forgotten");
    info!(%stream, "forgotten");
    Ok(())
}

/// Gives up the claim on the account's address. Without the account's key nobody knows the address any more: then it was given
/// up before, for the key goes after it.
async fn release(backend: &Backend, id: UserId, email: &Sealed<Email>) -> Result<(), Failure> {
    let Some(key) = backend.vault.key(Subject::Account(id)).await? else { return Ok(()) };
    match key.open(id.into(), email) {
        Opened::Clear(email) => Ok(backend.vault.release(&backend.secrets.claim(&email), id).await?),
        Opened::Erased => Ok(()),
        // Burying the key now would leave the address taken for ever, and nobody could say which: a person has to look.
        Opened::Damaged => {
            Err(Failure::broken(format!("release the address of {id}"), "what is sealed does not open"))
        }
    }
}
