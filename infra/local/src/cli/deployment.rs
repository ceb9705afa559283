//! The deployment that a command works on: in AWS, on the running server's engine, or in the data directory.

use std::{env, path::Path};

use infra::{Backend, Clock, Config, Failure, aws, config, function::Need, setup, tables};
use schema::table::{DECLARED, LOCAL, Table};
use tokio::net::TcpStream;

use super::Failed;
use crate::{
    control::{self, AskError, Move},
    data_dir::{DataDir, Running},
    engine::Engine,
    server::{ENDPOINT, RESTART_MAX},
};

/// The adapters of a deployment, and the engine if this command started it.
pub(super) struct Deployment {
    pub(super) backend: Backend,
    /// Whether a server, or the functions in AWS, do the work that this command asks for.
    pub(super) has_server: bool,
    /// The server that runs on the data directory.
    pub(super) running: Option<Running>,
    /// The server that `server.json` names, if it does not answer.
    pub(super) former: Option<Running>,
    engine: Option<Engine>,
}

/// The running server's engine does not do what every start needs.
#[derive(Debug, thiserror::Error)]
#[error(
    "process {pid} at {http} accepts connections, but its engine does not answer; look at its log, or stop it"
)]
struct Silent {
    pid: u32,
    http: String,
    #[source]
    cause: Failed,
}

/// The prefix names no deployment.
#[derive(Debug, thiserror::Error)]
#[error("no tables with the prefix {prefix}; {advice}")]
pub(super) struct NoTables {
    prefix: String,
    advice: String,
    #[source]
    cause: Failure,
}

impl NoTables {
    /// Replaces the error that a table of this deployment does not exist with one that names the prefix.
    pub(super) fn name(error: Failed, running: Option<&Running>) -> Failed {
        let cause = match error.downcast::<Failure>() {
            Ok(failure) if failure.is_missing_table() => *failure,
            Ok(other) => return other,
            Err(other) => return other,
        };
        let advice = match running {
            None => {
                "deploy the stack of this name, or set WAITLIST_PREFIX to the name of the stack".to_owned()
            }
            Some(Running { pid, http, prefix, .. }) => format!(
                "process {pid} at {http} serves those with the prefix {prefix}; set WAITLIST_PREFIX to that, or stop it \
                 and run `waitlist serve` with the new prefix"
            ),
        };
        Self { prefix: config::prefix(), advice, cause }.into()
    }
}

impl Deployment {
    /// Uses the deployment in AWS that the environment names.
    pub(super) async fn in_aws(needs: &[Need]) -> Result<Self, Failed> {
        let backend = Backend::from_env(needs).await?;
        Ok(Self { backend, has_server: true, running: None, former: None, engine: None })
    }

    /// Uses a data directory. If a server runs on it, its engine is used; otherwise the engine is started
    /// here.
    pub(super) async fn local(path: &Path) -> Result<Self, Failed> {
        let data_dir = DataDir::existing(path)?;
        let (running, former) = match data_dir.running()? {
            Some(running) if is_alive(&running).await => (Some(running), None),
            former => (None, former),
        };
        let prefix = config::prefix();
        let tables: Vec<Table> = DECLARED.iter().chain(LOCAL).cloned().collect();
        let (sdk, engine) = match &running {
            _ if env::var_os(ENDPOINT).is_some() => (aws::config().await, None),
            Some(Running { engine, engine_access_key, .. }) => {
                (aws::local(engine, engine_access_key.as_deref().unwrap_or_default()).await, None)
            }
            None => {
                data_dir.require_keys()?;
                let engine = Engine::start_when_free(data_dir.path(), &tables, &prefix, RESTART_MAX).await?;
                (engine.sdk().await, Some(engine))
            }
        };
        let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
        match &engine {
            Some(engine) => engine.create_tables(&dynamodb, &prefix, &tables).await?,
            None if running.is_some() => {} // the server created them
            None => tables::create(&dynamodb, &prefix, &tables).await?,
        }
        let rows = setup::create_rows(&dynamodb, &prefix).await.map_err(|cause| match &running {
            Some(running) if cause.is_missing_table() => NoTables::name(cause.into(), Some(running)),
            Some(Running { pid, http, .. }) => {
                Failed::from(Silent { pid: *pid, http: http.clone(), cause: cause.into() })
            }
            None => cause.into(),
        })?;
        if let Some(engine) = &engine {
            engine.index_scans(&rows).await?;
        }
        let config = Config::local(&prefix, "", data_dir.keys()).with_queues_from_env()?;
        let queues = if config.has_sqs() { aws::config().await } else { sdk.clone() };
        let backend = Backend::with_queues(&sdk, &queues, dynamodb, &config, clock(running.as_ref()).await?)?;
        backend.check_claims().await?;
        Ok(Self { backend, has_server: running.is_some(), running, former, engine })
    }

    /// Stops the engine if this command started it.
    pub(super) async fn close(self) {
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
    }
}

/// Returns the running server's clock: the machine's clock, moved as the server's was.
pub(super) async fn clock(running: Option<&Running>) -> Result<Clock, AskError> {
    let clock = Clock::system();
    if let Some(control) = running.and_then(|running| running.control.as_ref()) {
        match control::ask(control, Move::AdvanceMs(0)).await {
            Ok(shown) => clock.set(shown.now),
            Err(AskError::Gone(_)) => {} // `server.json` names a killed server
            Err(refused) => return Err(refused),
        }
    }
    Ok(clock)
}

/// Whether the server that `server.json` names still runs. A killed server leaves the file behind.
async fn is_alive(running: &Running) -> bool {
    TcpStream::connect(running.http.trim_start_matches("http://")).await.is_ok()
}
