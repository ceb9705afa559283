//! The eraser: handles the queue of erasures.
//!
//! The event `erased` is in the log before the eraser begins, so later commands are refused. Each step may be
//! repeated, and `forgotten` is appended last: after a crash in between the message is received again, and
//! the remaining steps are done.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use commands::forget::{self, Erasure};
use infra::{Backend, Failure, fault, vault::Subject};
use schema::{Sealed, StreamId, UserId, sealed::Opened, value::Email};
use tracing::info;

use crate::intent::{Intent, handle_batch};

/// The handler of the eraser lambda.
#[derive(Clone)]
pub struct Eraser {
    backend: Backend,
}

impl Eraser {
    pub fn new(backend: Backend) -> Self {
        Self { backend }
    }

    /// Handles a batch of queue messages. Messages that fail are received again until they are dead letters.
    pub async fn messages(&self, event: SqsEvent) -> SqsBatchResponse {
        handle_batch(&self.backend, event, |queued| async move {
            match queued.intent {
                Intent::Forget { stream } => forget(&self.backend, stream).await,
                Intent::Attend { .. } | Intent::Clear { .. } | Intent::React { .. } => {
                    Err(Failure::broken("carry out an erasure", "the message is for another queue"))
                }
            }
        })
        .await
    }
}

/// Finishes the erasure of an account or guest; a no-op when there was no request for one. The stream is read
/// twice; 1 write unit for the tombstone, 1 for the event and 1 for the audit index; for an account, 1 read
/// and 1 write unit more.
///
/// An erasure that was finished before is repeated without an event, because a restore of the vault may have brought
/// the key back: the stream is read once, and 1 write unit for the tombstone.
pub async fn forget(backend: &Backend, stream: StreamId) -> Result<(), Failure> {
    let Some(erasure) = forget::erasure(backend, stream).await? else {
        info!(%stream, "no erasure to finish");
        return Ok(());
    };
    fault::point("eraser.due");
    let Erasure { subject, email, is_finished, .. } = &erasure;
    if let (Subject::Account(id), Some(email)) = (*subject, email) {
        release(backend, id, email).await?;
        fault::point("eraser.released");
    }
    backend.vault.bury(*subject).await?;
    fault::point("eraser.buried");
    if *is_finished {
        info!(%stream, "repeated a finished erasure");
        return Ok(());
    }
    forget::done(backend, &erasure).await?;
    fault::point("eraser.forgotten");
    info!(%stream, "erasure finished");
    Ok(())
}

/// Releases the claim on the account's address. When the account's key is deleted already, the claim was
/// released before, because the key is deleted after it.
async fn release(backend: &Backend, id: UserId, email: &Sealed<Email>) -> Result<(), Failure> {
    let Some(key) = backend.vault.key(Subject::Account(id)).await? else { return Ok(()) };
    match key.open(id.into(), email) {
        Opened::Clear(email) => Ok(backend.vault.release(&backend.claims.of_email(&email)?, id).await?),
        Opened::Erased => Ok(()),
        // Without the key the address could never be released, so the key stays until a person has repaired
        // the value.
        Opened::Damaged => Err(Failure::broken(
            format!("release the address of {id}"),
            "its ciphertext does not fit the account's key",
        )),
    }
}
