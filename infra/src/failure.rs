//! The three ways in which a request can fail. They are mapped to HTTP once, in [`crate::http`].

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use schema::Problem;

use crate::vault::{MasterError, Subject, VaultError};

/// A failed request.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The domain or the HTTP edge refuses; the client can act on it.
    #[error("refused: {0}")]
    Refused(#[from] Problem),
    /// Other writers won every race for the same stream.
    #[error("lost the race for the stream {ATTEMPTS} times", ATTEMPTS = crate::log::ATTEMPTS_MAX)]
    Conflict,
    /// Something this request depends on does not work.
    #[error("{doing}")]
    Broken {
        /// The failed operation, as "read the stream x".
        doing: String,
        /// Whether trying again shortly may help.
        retry: bool,
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl Failure {
    /// A failed call to AWS, classified by whether a retry may help.
    pub fn aws<E, R>(doing: impl Into<String>, cause: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        Self::Broken { doing: doing.into(), retry: is_passing(&cause), cause: Box::new(cause) }
    }

    /// A failure that a retry does not help.
    pub fn broken(doing: impl Into<String>, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Broken { doing: doing.into(), retry: false, cause: cause.into() }
    }

    /// A failure that a retry may help shortly.
    pub fn passing(doing: impl Into<String>, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Broken { doing: doing.into(), retry: true, cause: cause.into() }
    }

    /// Whether a retry of the same request may succeed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Conflict => true,
            Self::Broken { retry, .. } => *retry,
        }
    }

    /// The failure and all its causes, for the log.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }
}

impl From<VaultError> for Failure {
    /// A key that could not be read or written may be available shortly; a damaged one will not.
    fn from(error: VaultError) -> Self {
        let retry = match &error {
            // Who was forgotten stays so: that is an answer, not a fault.
            VaultError::Erased { subject: Subject::Guest { .. } } => return Self::Refused(Problem::erased()),
            VaultError::Erased { subject: Subject::Account(_) } => {
                return Self::Refused(Problem::unauthorized());
            }
            VaultError::Read { .. }
            | VaultError::Unprocessed { .. }
            | VaultError::Put { .. }
            | VaultError::Bury { .. }
            | VaultError::Release { .. } => true,
            VaultError::Master { cause, .. } => matches!(cause, MasterError::Kms(_)),
            VaultError::Unfit { .. }
            | VaultError::Malformed { .. }
            | VaultError::Gone { .. }
            | VaultError::Claim
            | VaultError::Describe(_) => false,
        };
        Self::Broken { doing: "use the vault".into(), retry, cause: Box::new(error) }
    }
}

/// Throttling, time-outs, lost connections and server errors may pass; a refused request does not.
fn is_passing<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(service) => matches!(
            service.err().code().unwrap_or("InternalServerError"),
            "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "ThrottlingException"
                | "InternalServerError"
                | "ServiceUnavailable"
                | "TransactionInProgressException"
        ),
        _ => false,
    }
}
