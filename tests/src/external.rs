//! Engines outside the process of the test, which the environment names.

use std::{
    env,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use infra::clock::random;

/// The variable that names the address of the engine. The SDK reads it too.
pub const ENDPOINT: &str = "AWS_ENDPOINT_URL_DYNAMODB";

/// Backends with one access key on DynamoDB Local. A key for each would cost memory, one key for all costs time.
const BACKENDS_A_KEY: usize = 8;

/// Whether the environment names the engine. Otherwise each test embeds one.
#[must_use]
pub fn is_external() -> bool {
    env::var_os(ENDPOINT).is_some()
}

/// Whether this is the named engine. Assertions that an engine is known to fail are left out on that engine only.
#[must_use]
pub fn is_on(engine: &str) -> bool {
    env::var("WAITLIST_ENGINE").is_ok_and(|name| name == engine)
}

/// Returns the access key id for one more backend.
///
/// DynamoDB Local has a database for each, and calls take longer the more tables a database has. Other engines
/// get the key of the environment, because one of them takes each key for another account.
#[must_use]
pub fn access_key() -> String {
    static PROCESS: LazyLock<String> = LazyLock::new(unique);
    static BACKENDS: AtomicUsize = AtomicUsize::new(0);
    if is_on("dynamodb-local") {
        return format!("{}{}", *PROCESS, BACKENDS.fetch_add(1, Ordering::Relaxed) / BACKENDS_A_KEY);
    }
    env::var("AWS_ACCESS_KEY_ID").unwrap_or_else(|_| "test".to_owned())
}

/// Returns a name, or a part of one, that no other test has on an engine that tests share.
#[must_use]
pub fn unique() -> String {
    data_encoding::HEXLOWER.encode(&random::<6>())
}

/// Returns the SDK configuration of the environment with this access key id.
pub async fn sdk(access_key: &str) -> SdkConfig {
    let credentials = Credentials::new(access_key, "test", None, None, "test");
    let config = infra::aws::config().await.into_builder();
    config.credentials_provider(SharedCredentialsProvider::new(credentials)).build()
}
