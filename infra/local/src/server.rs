//! `waitlist serve`: engine, tables, HTTP API, stream pump and queue, in one process.

use std::{
    env,
    error::Error,
    io::{self, Write as _},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use aws_config::SdkConfig;
use infra::{
    Backend, Clock, Config, aws, config,
    limits::Bounds,
    messenger::{MessengerConfig, Messengers},
    setup, tables,
    token::TokenKey,
};
use schema::{
    UserId,
    table::{CHECKPOINTS, DECLARED, EVENTS, LOCAL, Table},
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::Instant,
};
use tracing::{info, warn};

use crate::{
    connections::{self, Bounds as ConnectionBounds},
    control,
    data_dir::{DataDir, Running},
    edge,
    engine::{Engine, EngineError},
    exporter::Exporter,
    gate::Gate,
    lag::Lag,
    pump::Source,
    settings,
    workers::{self, Sending},
};

/// The variable that selects another engine than the embedded one. AWS's SDK reads it too.
pub(crate) const ENDPOINT: &str = "AWS_ENDPOINT_URL_DYNAMODB";

/// How long a starting server or command waits for an ending process to release the data directory.
pub(crate) const RESTART_MAX: Duration = Duration::from_secs(3);

/// How long a starting server waits for its address, which an ending process releases after the directory.
const ADDRESS_MAX: Duration = Duration::from_secs(1);
const ADDRESS_POLL: Duration = Duration::from_millis(50);

/// How long a stopping server waits for running requests.
const DRAIN: Duration = Duration::from_secs(10);

/// Lifetime of the token in the printed example.
const EXAMPLE_TOKEN_TTL_S: u32 = 3_600;

#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub listen: SocketAddr,
    /// Whether a caller who can read `server.json` may move the clock.
    pub manual_clock: bool,
    /// Whether the tick runs each minute.
    pub tick: bool,
    /// Whether the first line of output is JSON.
    pub json: bool,
}

/// Serves until Ctrl-C or SIGTERM, then finishes the running requests.
///
/// # Errors
/// The directory, engine, tables, keys or address cannot be used; the error says what to do.
pub async fn serve(data_dir: &DataDir, start: Start) -> Result<(), Box<dyn Error + Send + Sync>> {
    let Start { listen, manual_clock, tick, json } = start;
    let prefix = config::prefix();
    let tables: Vec<Table> = DECLARED.iter().chain(LOCAL).cloned().collect();
    settings::check_prefix(&prefix, &tables)?;
    let origins = settings::origins()?;

    let (sdk, engine) = engine(data_dir, &tables, &prefix).await?;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    match &engine {
        Some(engine) => engine.create_tables(&dynamodb, &prefix, &tables).await?,
        None => tables::create(&dynamodb, &prefix, &tables).await?,
    }
    let rows = setup::create_rows(&dynamodb, &prefix).await?;
    if let Some(engine) = &engine {
        engine.index_scans(&rows).await?;
    }

    let listener = bind(listen).await.map_err(|cause| with_advice(listen, &cause))?;
    let address = format!("http://{}", listener.local_addr()?);
    let public_url = config::public_url()?.unwrap_or_else(|| address.clone());
    let config =
        Config { bounds: Bounds::from_env()?, ..Config::local(&prefix, &public_url, data_dir.keys()) }
            .with_queues_from_env()?;
    let messenger = MessengerConfig::local(data_dir.outbox())?;
    // AWS's own variables can name other endpoints for queues, mails and texts.
    let uses_aws = config.has_sqs() || messenger.mail.is_some() || messenger.texts.is_some();
    let outside = if uses_aws { aws::config().await } else { sdk.clone() };
    if outside.region().is_none_or(|region| region.as_ref().is_empty()) {
        return Err(
            "set AWS_REGION and AWS credentials, because queues, mails or texts are configured to use AWS"
                .into(),
        );
    }
    let clock = Clock::system();
    let backend = Backend::with_queues(&sdk, &outside, dynamodb.clone(), &config, clock.clone())?;
    backend.check_claims().await?;
    let messengers = Messengers::new(&outside, &messenger, clock);

    let (stop, stopping) = watch::channel(false);
    let source = Source {
        streams: aws_sdk_dynamodbstreams::Client::new(&sdk),
        dynamodb,
        table: EVENTS.name(&prefix),
        checkpoints: CHECKPOINTS.name(&prefix),
    };
    let lag = Lag::new(source, backend.clock.clone());
    let gate = Gate::default();
    let exporter = Exporter::install();
    let mut workers =
        workers::start(&backend, Sending { messengers, tick }, &lag, engine.clone(), &gate, &stopping);
    workers.spawn(exporter.clone().keep_up(stopping.clone()));
    let control =
        if manual_clock { Some(control::serve(backend.clock.clone(), gate.clone()).await?) } else { None };
    let engine_url = engine
        .as_ref()
        .map_or_else(|| env::var(ENDPOINT).unwrap_or_default(), |engine| engine.url().to_owned());
    // Before the address is announced: a script may stop the server as soon as it reads it.
    let signals = Signals::listen()?;
    data_dir.announce(&Running {
        pid: std::process::id(),
        data_dir: data_dir.absolute(),
        prefix: prefix.clone(),
        http: address.clone(),
        engine: engine_url,
        engine_access_key: engine.as_ref().map(|engine| engine.access_key().to_owned()),
        control,
    })?;
    welcome(&address, &backend, &TokenKey::load_or_create(&data_dir.keys())?, json)?;

    let mut requests = tokio::spawn(connections::serve(
        listener,
        edge::router(backend, gate, exporter, lag, origins),
        ConnectionBounds::USUAL,
        stopping,
    ));
    signals.until_told_to_stop().await;
    info!("stopping: waiting for running requests");
    stop.send_replace(true);
    if tokio::time::timeout(DRAIN, &mut requests).await.is_err() {
        warn!(waited = ?DRAIN, "aborted the requests that were still running");
        requests.abort();
    }
    workers.join_all().await;
    data_dir.withdraw();
    if let Some(engine) = engine {
        engine.stop().await;
    }
    Ok(())
}

/// Uses the engine named by the environment, or starts an embedded one in the data directory.
async fn engine(
    data_dir: &DataDir,
    tables: &[Table],
    prefix: &str,
) -> Result<(SdkConfig, Option<Arc<Engine>>), Box<dyn Error + Send + Sync>> {
    if env::var_os(ENDPOINT).is_some() {
        return Ok((aws::config().await, None));
    }
    data_dir.require_keys()?;
    let engine = Engine::start_when_free(data_dir.path(), tables, prefix, RESTART_MAX).await;
    let engine = Arc::new(engine.map_err(|cause| name_running_server(data_dir, cause))?);
    Ok((engine.sdk().await, Some(engine)))
}

/// Replaces the error that the directory is in use with one that names the running server, if `server.json`
/// does.
pub(crate) fn name_running_server(data_dir: &DataDir, cause: EngineError) -> Box<dyn Error + Send + Sync> {
    match (&cause, data_dir.running()) {
        (EngineError::InUse { path }, Ok(Some(Running { pid, http, .. }))) => format!(
            "a server already runs on {}: {http}, process {pid}; stop it, or choose another data directory",
            path.display()
        )
        .into(),
        _ => cause.into(),
    }
}

/// Prints the address: for a person with a curl command to try, for a program as one line of JSON.
fn welcome(address: &str, backend: &Backend, key: &TokenKey, json: bool) -> Result<(), infra::Failure> {
    let owner = UserId(backend.clock.id(backend.clock.now()));
    let token = key.mint(owner, backend.clock.now(), EXAMPLE_TOKEN_TTL_S)?;
    let text = if json {
        serde_json::json!({ "listening": address, "token": token }).to_string()
    } else {
        format!(
            "listening on {address}\n\n\
             Open it in a browser, or try the API (the token is valid for one hour and belongs to a new account):\n\n  \
             TOKEN={token}\n  \
             curl -i {address}/v1/waitlists -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\\n       \
             -d '{{\"name\": \"Main room\", \"time_zone\": \"America/Los_Angeles\", \"region\": \"US\"}}'\n"
        )
    };
    let mut out = io::stdout().lock();
    if let Err(cause) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        warn!(%cause, "could not print the server's address; server.json has it");
    }
    Ok(())
}

async fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let deadline = Instant::now() + ADDRESS_MAX;
    loop {
        match TcpListener::bind(listen).await {
            Err(cause) if cause.kind() == io::ErrorKind::AddrInUse && Instant::now() < deadline => {
                tokio::time::sleep(ADDRESS_POLL).await;
            }
            bound => return bound,
        }
    }
}

fn with_advice(listen: SocketAddr, cause: &io::Error) -> io::Error {
    let advice = match cause.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                "{listen} is in use by another process: stop it, or choose another port with --listen 127.0.0.1:0"
            )
        }
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "--listen {listen}: this machine does not have this address; use 127.0.0.1 to serve this machine only, or 0.0.0.0 to serve all its networks"
            )
        }
        _ => format!("--listen {listen}: {cause}"),
    };
    io::Error::new(cause.kind(), advice)
}

/// The signals that end the server. Those that arrive after [`Signals::listen`] are not lost.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn until_told_to_stop(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
