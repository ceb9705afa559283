//! What an answer of SES or SNS means. Neither takes an idempotency key, so whatever cannot be told for certain is not guessed.

use std::{error::Error, io, time::Duration};

use aws_config::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};

/// Why a message was not sent, or may not have been. The codes are the carrier's, and name nobody.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It was not taken, and never will be.
    #[error("refused: {code}")]
    Refused {
        /// Why.
        code: String,
    },
    /// It was not taken, and may be later.
    #[error("not now: {code}")]
    Busy {
        /// Why.
        code: String,
    },
    /// Nobody can say whether it was taken.
    #[error("no answer")]
    Unanswered {
        /// What happened instead.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// A send that is repeated after a lost answer is sent twice: the SDK may not do that by itself.
pub(super) fn once() -> RetryConfig {
    RetryConfig::disabled()
}

pub(super) fn within(timeout: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(timeout)
        .operation_attempt_timeout(timeout)
        .operation_timeout(timeout)
        .build()
}

/// Status codes from here on say that a request was not taken; and from there on that the fault is the carrier's.
const CLIENT_ERROR: u16 = 400;
const SERVER_ERROR: u16 = 500;
const TOO_MANY_REQUESTS: u16 = 429;
/// The fault is our own: credentials that ran out, or a role that may not send. Nothing is wrong with the message.
const FORBIDDEN: u16 = 403;

/// What an answer that is no success means. `passing` are the codes of refusals that end by themselves.
pub(super) fn turned_away<E>(cause: SdkError<E>, passing: &[&str]) -> SendError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = match &cause {
        // Below, it says that all is well, in words that cannot be read: it may well have been taken.
        SdkError::ServiceError(answered) if answered.raw().status().as_u16() >= CLIENT_ERROR => {
            answered.raw().status().as_u16()
        }
        // It never left.
        SdkError::ConstructionFailure(_) => return SendError::Refused { code: "malformed".into() },
        SdkError::DispatchFailure(_) if never_connected(&cause) => {
            return SendError::Busy { code: "no-connection".into() };
        }
        _ => return SendError::Unanswered { source: Box::new(cause) },
    };
    let code = cause.code().map_or_else(|| status.to_string(), str::to_owned);
    let throttled = code.contains("Throttl") || code == "RequestLimitExceeded";
    if status >= SERVER_ERROR
        || [TOO_MANY_REQUESTS, FORBIDDEN].contains(&status)
        || throttled
        || passing.contains(&code.as_str())
    {
        SendError::Busy { code }
    } else {
        SendError::Refused { code }
    }
}

/// Whether there was nobody to send anything to: then nothing was sent.
fn never_connected(cause: &(dyn Error + 'static)) -> bool {
    use std::io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
    let is_so = |error: &(dyn Error + 'static)| {
        let io = error.downcast_ref::<io::Error>();
        io.is_some_and(|io| {
            matches!(io.kind(), AddrNotAvailable | ConnectionRefused | HostUnreachable | NetworkUnreachable)
        })
    };
    std::iter::successors(Some(cause), |error| (*error).source()).any(is_so)
}
