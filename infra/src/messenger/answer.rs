//! Classifies answers of SES and SNS. Neither takes an idempotency key, so an uncertain answer is never taken for a refusal.

use std::{error::Error, io, time::Duration};

use aws_config::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};

/// A send that was refused or whose outcome is unknown. The codes are the carrier's and hold no personal data.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Refused for good.
    #[error("refused: {code}")]
    Refused { code: String },
    /// Refused for now; a later attempt may succeed.
    #[error("not now: {code}")]
    Busy { code: String },
    /// The outcome is unknown.
    #[error("no answer")]
    Unanswered {
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// No retries by the SDK: a send repeated after a lost answer goes out twice.
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

/// The first status code that means a refusal, and the first that means a fault of the carrier.
const CLIENT_ERROR: u16 = 400;
const SERVER_ERROR: u16 = 500;
const TOO_MANY_REQUESTS: u16 = 429;
/// Expired credentials, or a role without permission to send: our fault, and nothing is wrong with the message.
const FORBIDDEN: u16 = 403;

/// Classifies an answer that is not a success. `passing` holds the codes of refusals that are worth a later attempt.
pub(super) fn turned_away<E>(cause: SdkError<E>, passing: &[&str]) -> SendError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = match &cause {
        // An unreadable answer with a success status may mean that the message was accepted.
        SdkError::ServiceError(answered) if answered.raw().status().as_u16() >= CLIENT_ERROR => {
            answered.raw().status().as_u16()
        }
        // The request was never sent.
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

/// Whether the connection failed, so that nothing was sent.
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
