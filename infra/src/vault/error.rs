use aws_sdk_dynamodb::error::BuildError;
use schema::Problem;

use super::{master::MasterError, subject::Subject};
use crate::failure::Failure;
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error(transparent)]
    Read(Box<Failure>),
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
    #[error("check the claims key against the vault")]
    Check {
        #[source]
        cause: Box<aws_sdk_dynamodb::Error>,
    },
    #[error(
        "the claims key is not the one that this deployment's e-mail claims were made with, so that no account could sign in; \
         restore the former key"
    )]
    OtherClaims,
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

impl From<VaultError> for Failure {
    /// A key that could not be read or written may be available shortly; a damaged one will not.
    fn from(error: VaultError) -> Self {
        let retry = match &error {
            // An erasure is an answer, not a fault.
            VaultError::Erased { subject: Subject::Guest { .. } } => return Self::Refused(Problem::erased()),
            VaultError::Erased { subject: Subject::Account(_) } => {
                return Self::Refused(Problem::unauthorized());
            }
            VaultError::Read(_)
            | VaultError::Put { .. }
            | VaultError::Bury { .. }
            | VaultError::Check { .. }
            | VaultError::Release { .. } => true,
            VaultError::Master { cause, .. } => matches!(cause, MasterError::Kms(_)),
            VaultError::Unfit { .. }
            | VaultError::Malformed { .. }
            | VaultError::Gone { .. }
            | VaultError::Claim
            | VaultError::OtherClaims
            | VaultError::Describe(_) => false,
        };
        Self::Broken { doing: "use the vault".into(), retry, cause: Box::new(error) }
    }
}

pub(super) fn describe(cause: BuildError) -> VaultError {
    VaultError::Describe(Box::new(cause))
}

pub(super) fn aws(cause: impl Into<aws_sdk_dynamodb::Error>) -> Box<aws_sdk_dynamodb::Error> {
    Box::new(cause.into())
}
