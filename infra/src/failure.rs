//! The three ways in which a request can fail. [`crate::http`] maps them to HTTP.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use schema::Problem;

use crate::telemetry::metrics;

/// A failed request.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The domain or the HTTP edge refuses; the client can act on it.
    #[error("refused: {0}")]
    Refused(#[from] Problem),
    /// Other writers won every race for the same stream.
    #[error("other writers won every attempt to append to the stream")]
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
        let retry = is_passing(&cause);
        if cause.as_service_error().and_then(ProvideErrorMetadata::code).is_some_and(is_throttled) {
            metrics::THROTTLED_CALLS.count([]);
        }
        let cause: Box<dyn Error + Send + Sync> = match &cause {
            SdkError::ServiceError(service) if service.err().code() == Some(NO_TABLE) => {
                Box::new(NoTable(Box::new(cause)))
            }
            _ => Box::new(cause),
        };
        Self::Broken { doing: doing.into(), retry, cause }
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

    /// Whether a call named a table that does not exist.
    #[must_use]
    pub fn is_missing_table(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Conflict => false,
            Self::Broken { cause, .. } => cause.is::<NoTable>(),
        }
    }

    /// The same failure for another request that waited for the same work. Its causes become one text.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::Refused(problem) => Self::Refused(problem.clone()),
            Self::Conflict => Self::Conflict,
            Self::Broken { doing, retry, cause } => {
                Self::Broken { doing: doing.clone(), retry: *retry, cause: chain(cause.as_ref()).into() }
            }
        }
    }

    /// The failure and all its causes, for the log.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// DynamoDB's answer to a call that names a table that does not exist.
const NO_TABLE: &str = "ResourceNotFoundException";

/// Marks the error of a call that named a table that does not exist.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct NoTable(Box<dyn Error + Send + Sync>);

/// Throttling, time-outs, lost connections and server errors may pass; a refused request does not.
fn is_passing<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("InternalServerError");
            is_throttled(code)
                || matches!(
                    code,
                    "InternalServerError" | "ServiceUnavailable" | "TransactionInProgressException"
                )
        }
        _ => false,
    }
}

/// Whether a call was refused because there were too many.
fn is_throttled(code: &str) -> bool {
    matches!(code, "ProvisionedThroughputExceededException" | "RequestLimitExceeded" | "ThrottlingException")
}
