//! SDK configurations, with time-outs short enough for a host who waits for the answer.

mod in_process;

use std::time::Duration;

use aws_config::{
    BehaviorVersion, ConfigLoader, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::config::Credentials;

pub use self::in_process::{Answer, Call, in_process};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The time-out of a call with all retries of the SDK. After it the log checks whether the write landed, and
/// decides the command again.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(3);
const SDK_ATTEMPTS_MAX: u32 = 3;

/// Loads the configuration from the usual variables of AWS: region, credentials and `AWS_ENDPOINT_URL_*`.
pub async fn config() -> SdkConfig {
    loader().load().await
}

/// Returns the configuration for an engine on this machine. The embedded engine accepts only the access key
/// id that it made at its start; other engines accept any.
pub async fn local(endpoint_url: &str, access_key: &str) -> SdkConfig {
    with_access_key(access_key).endpoint_url(endpoint_url).load().await
}

/// Returns settings for an engine that knows no secret keys and no regions.
fn with_access_key(access_key: &str) -> ConfigLoader {
    let credentials = Credentials::new(access_key, "local", None, None, "local");
    loader().region(Region::new("local")).credentials_provider(credentials)
}

/// Returns the time-outs of a call that the service may hold open for `wait`, as in long polling.
pub(crate) fn timeouts(wait: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT + wait)
        .operation_timeout(OPERATION_TIMEOUT + wait)
        .build()
}

fn loader() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts(Duration::ZERO))
        .retry_config(RetryConfig::standard().with_max_attempts(SDK_ATTEMPTS_MAX))
}
