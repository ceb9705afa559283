//! The engine under test.

use std::{env, sync::OnceLock};

use aws_config::SdkConfig;
use local::engine::Engine;

use super::ENDPOINT;

/// Returns the engine under test and its access key id: the engine named by the environment, or one embedded
/// engine for the whole test process.
pub(super) async fn engine() -> (SdkConfig, String) {
    if env::var_os(ENDPOINT).is_some() {
        let access_key = env::var("AWS_ACCESS_KEY_ID").unwrap_or_else(|_| "test".to_owned());
        return (infra::aws::config().await, access_key);
    }
    let (url, access_key) = embedded();
    (infra::aws::local(&url, &access_key).await, access_key)
}

/// Starts the embedded engine on its own runtime, because the runtime of the first test ends with that test.
fn embedded() -> (String, String) {
    static ENGINE: OnceLock<(String, String)> = OnceLock::new();
    ENGINE
        .get_or_init(|| {
            let (send, receive) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let directory = tempfile::tempdir().unwrap();
                    let engine = Engine::start(directory.path(), &[], "test").unwrap();
                    send.send((engine.url().to_owned(), engine.access_key().to_owned())).unwrap();
                    std::future::pending::<()>().await;
                });
            });
            receive.recv().unwrap()
        })
        .clone()
}
