//! Errors that several of the commands have.

use std::{io, path::PathBuf};

use infra::Failure;

#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub(super) struct WriteError {
    pub(super) path: PathBuf,
    #[source]
    pub(super) cause: io::Error,
}

/// The log did not answer, although each page was tried several times.
#[derive(Debug, thiserror::Error)]
#[error("the log could not be read; {consequence}")]
pub(super) struct Unread {
    pub(super) consequence: &'static str,
    #[source]
    pub(super) cause: Failure,
}
