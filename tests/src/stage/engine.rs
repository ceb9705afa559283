//! The engine under test.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::external;

/// Runs the embedded engines, because the runtime of a test ends with that test.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

/// The time limit of one call to the engine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The engine under a stage.
#[derive(Clone)]
pub(super) struct Engine {
    /// Calls the engine by its address.
    pub(super) sdk: SdkConfig,
    /// Calls an embedded engine without a socket, which costs less. For other engines the same as `sdk`.
    pub(super) direct: SdkConfig,
    /// The access key id that the engine demands.
    pub(super) access_key: String,
    _embedded: Option<Arc<Embedded>>,
}

/// An embedded engine. It ends, and its data are deleted, with the last stage on it.
struct Embedded {
    engine: local::engine::Engine,
    _directory: TempDir,
}

impl Engine {
    /// Returns the engine named by the environment, or else a new embedded one. A change of its tables makes an engine read
    /// the layouts of all its tables again, so tests that shared one would be slowed down by each other's tables.
    pub(super) async fn new() -> Self {
        if external::is_external() {
            let access_key = external::access_key();
            let sdk = patient(external::sdk(&access_key).await);
            return Self { direct: sdk.clone(), sdk, access_key, _embedded: None };
        }
        let embedded = Embedded::start();
        let access_key = embedded.engine.access_key().to_owned();
        let sdk = patient(infra::aws::local(embedded.engine.url(), &access_key).await);
        let direct = patient(embedded.engine.sdk().await);
        Self { sdk, direct, access_key, _embedded: Some(Arc::new(embedded)) }
    }
}

impl Embedded {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let _context = RUNTIME.enter();
        let engine = local::engine::Engine::start(directory.path(), &[], "test").unwrap();
        Self { engine, _directory: directory }
    }
}

/// The engine shares a busy machine with other tests, so production's short time-outs would fail.
fn patient(sdk: SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).build();
    sdk.into_builder().timeout_config(timeouts).build()
}
