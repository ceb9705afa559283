use aws_sdk_dynamodb::error::BuildError;

use super::{master::MasterError, subject::Subject};

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// `items` names the first few of the items asked for.
    #[error("read {items} from the vault")]
    Read {
        items: String,
        #[source]
        cause: Box<aws_sdk_dynamodb::Error>,
    },
    #[error("the vault table left {left} keys unread after {attempts} attempts")]
    Unprocessed { left: usize, attempts: u32 },
    #[error("put the key of {subject} into the vault")]
    Put {
        subject: Subject,
        #[source]
        cause: Box<aws_sdk_dynamodb::Error>,
    },
    #[error("put the tombstone of {subject} into the vault")]
    Bury {
        subject: Subject,
        #[source]
        cause: Box<aws_sdk_dynamodb::Error>,
    },
    #[error("release an e-mail claim in the vault")]
    Release {
        #[source]
        cause: Box<aws_sdk_dynamodb::Error>,
    },
    #[error("an e-mail claim in the vault names no account")]
    Claim,
    #[error("build a put for the vault")]
    Describe(#[source] Box<BuildError>),
    #[error("use the master key for {subject}")]
    Master {
        subject: Subject,
        #[source]
        cause: MasterError,
    },
    /// The guest's wrapped key was altered, or belongs to another account.
    #[error("the wrapped key of {subject} does not open with its account's key")]
    Unfit { subject: Subject },
    #[error("the vault's item of {subject} is neither a key nor a tombstone")]
    Malformed { subject: Subject },
    /// The account never had a key, so its guest's key cannot be wrapped.
    #[error("{subject} has no key in the vault")]
    Gone { subject: Subject },
    /// The subject or its account was erased and never gets a key again.
    #[error("{subject} was erased")]
    Erased { subject: Subject },
}

pub(super) fn describe(cause: BuildError) -> VaultError {
    VaultError::Describe(Box::new(cause))
}

pub(super) fn aws(cause: impl Into<aws_sdk_dynamodb::Error>) -> Box<aws_sdk_dynamodb::Error> {
    Box::new(cause.into())
}
