//! Erased guests and accounts that have a key again, because the vault was restored.

use std::{collections::BTreeSet, time::Duration};

use infra::{Backend, Failure, log::Head, vault::Subject};
use reactors::{Intent, intent::QueuedIntent};
use schema::{StreamId, UserId, WaiteeId, id::Category};
use tracing::warn;

use crate::report::Report;

/// The types of the events after which a subject has no key.
const FORGOTTEN: [&str; 2] = ["user.forgotten", "waitee.forgotten"];

/// Looks for the keys of the subjects that these commits record as forgotten, and asks the eraser to erase again those
/// that have one. An erasure that was never finished is the tick's: it stands on the row.
pub(crate) async fn bury_again(backend: &Backend, heads: &[Head]) -> Result<Report, Failure> {
    let subjects: BTreeSet<Subject> =
        heads.iter().filter(|head| is_forgotten(head)).filter_map(subject).collect();
    if subjects.is_empty() {
        return Ok(Report::default());
    }
    let subjects: Vec<Subject> = subjects.into_iter().collect();
    let unburied = backend.vault.unburied(&subjects).await?;
    for subject in &unburied {
        let stream = stream(*subject);
        warn!(%stream, "an erased guest or account has a key again; it will be erased again");
        QueuedIntent::from(Intent::Forget { stream }).send(backend, Duration::ZERO).await?;
    }
    let (buried, read_units) = (unburied.len() as u64, subjects.len() as f64);
    Ok(Report { buried, read_units, ..Report::default() })
}

fn is_forgotten(head: &Head) -> bool {
    head.types.iter().any(|kind| FORGOTTEN.contains(&kind.as_str()))
}

fn subject(head: &Head) -> Option<Subject> {
    let id = head.stream.id;
    match head.stream.category {
        Category::User => Some(Subject::Account(UserId(id))),
        Category::Waitee => Some(Subject::Guest { account: head.tenant?, guest: WaiteeId(id) }),
        Category::Mail | Category::Session | Category::Waitlist | Category::Access | Category::Projection => {
            None
        }
    }
}

fn stream(subject: Subject) -> StreamId {
    match subject {
        Subject::Account(account) => account.into(),
        Subject::Guest { guest, .. } => guest.into(),
    }
}
