//! The engine under test.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use infra::aws::{Answer, Call, in_process};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::external;

/// Runs the embedded engines, because the runtime of a test ends with that test.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());

/// The time limit of one call to the engine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Before a call is answered, the test's other tasks get up to so many turns.
const TURNS_MAX: u32 = 3;

/// The engine under a stage.
#[derive(Clone)]
pub struct Engine {
    /// Calls the engine by its address.
    pub(super) sdk: SdkConfig,
    /// Calls an embedded engine without a socket, which costs less. For other engines the same as `sdk`.
    pub(super) direct: SdkConfig,
    /// The access key id that the engine demands.
    pub(super) access_key: String,
    embedded: Option<Arc<Embedded>>,
}

/// An embedded engine. It ends, and its data are deleted, with the last stage and client on it.
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
            return Self { direct: sdk.clone(), sdk, access_key, embedded: None };
        }
        let embedded = Arc::new(Embedded::start());
        let access_key = embedded.engine.access_key().to_owned();
        let sdk = patient(infra::aws::local(embedded.engine.url(), &access_key).await);
        let answering = embedded.clone();
        let direct = in_process(move |call| {
            let embedded = answering.clone();
            async move { embedded.answer(call).await }
        });
        Self { sdk, direct: patient(direct.await), access_key, embedded: Some(embedded) }
    }

    /// Answers one call of DynamoDB's protocol.
    ///
    /// # Panics
    /// The engine is not an embedded one.
    pub async fn answer(&self, call: Call) -> Answer {
        self.embedded.as_ref().expect("the engine is an embedded one").answer(call).await
    }
}

impl Embedded {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let _context = RUNTIME.enter();
        let engine = local::engine::Engine::start(directory.path(), &[], "test").unwrap();
        Self { engine, _directory: directory }
    }

    /// Answers on the test's own thread: to wake another one would cost more. Other tasks of the test get a varying number of
    /// turns before, so that the calls of commands side by side are answered in varying orders.
    async fn answer(&self, call: Call) -> Answer {
        for _ in 0..fastrand::u32(1..=TURNS_MAX) {
            tokio::task::yield_now().await;
        }
        self.engine.answer_blocking(&call)
    }
}

/// The engine shares a busy machine with other tests, so production's short time-outs would fail.
fn patient(sdk: SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).build();
    sdk.into_builder().timeout_config(timeouts).build()
}
