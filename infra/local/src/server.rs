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
    tables,
    token::TokenKey,
};
use schema::{
    UserId,
    table::{CHECKPOINTS, DEPLOYED, EVENTS, LOCAL, Table},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
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
    gate::Gate,
    pump::Source,
    settings,
    workers::{self, Post},
};

/// The variable that names another engine than the embedded one; AWS's SDK reads it too.
pub(crate) const ENDPOINT: &str = "AWS_ENDPOINT_URL_DYNAMODB";

/// How long a starting server or command waits for an ending process to release the data directory.
pub(crate) const RESTART_MAX: Duration = Duration::from_secs(3);

/// How long it then waits for the address, which is released a moment later.
const ADDRESS_MAX: Duration = Duration::from_secs(1);
const ADDRESS_POLL: Duration = Duration::from_millis(50);

/// How long a stopping server waits for running requests.
const DRAIN: Duration = Duration::from_secs(10);

/// Lifetime of the token in the printed example.
const EXAMPLE_TOKEN_TTL_S: u32 = 3_600;

#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Port 0 picks a free one.
    pub listen: SocketAddr,
    /// Whether the clock may be moved by a caller who can read `server.json`.
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
    let tables: Vec<Table> = DEPLOYED.iter().chain(LOCAL).copied().collect();
    settings::check_prefix(&prefix, &tables)?;
    let origins = settings::origins()?;

    let (sdk, engine) = engine(data_dir, &tables, &prefix).await?;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    tables::create(&dynamodb, &prefix, &tables).await?;
    if let Some(engine) = &engine {
        engine.index_scans().await?;
    }

    let listener = bind(listen).await.map_err(|cause| not_ours(listen, &cause))?;
    let address = format!("http://{}", listener.local_addr()?);
    let public_url = config::public_url()?.unwrap_or_else(|| address.clone());
    let config =
        Config { bounds: Bounds::from_env()?, ..Config::local(&prefix, &public_url, data_dir.keys()) }
            .with_queues_from_env()?;
    let by = MessengerConfig::local(data_dir.outbox())?;
    // Queues, mails and texts may be elsewhere than the tables: AWS's own variables say where.
    let is_elsewhere = config.has_sqs() || by.mail.is_some() || by.texts.is_some();
    let outside = if is_elsewhere { aws::config().await } else { sdk.clone() };
    if outside.region().is_none_or(|region| region.as_ref().is_empty()) {
        return Err("set AWS_REGION, and credentials as AWS's own tools take them: queues, mails or texts are with AWS".into());
    }
    let clock = Clock::system();
    let backend = Backend::with_queues(&sdk, &outside, dynamodb.clone(), &config, clock.clone())?;
    let messengers = Messengers::new(&outside, &by, clock);

    let (stop, stopping) = watch::channel(false);
    let source = Source {
        streams: aws_sdk_dynamodbstreams::Client::new(&sdk),
        dynamodb,
        table: EVENTS.name(&prefix),
        checkpoints: CHECKPOINTS.name(&prefix),
    };
    let gate = Gate::default();
    let workers = workers::start(
        &backend,
        Post { messengers, tick },
        source,
        &prefix,
        engine.clone(),
        &gate,
        &stopping,
    );
    let control =
        if manual_clock { Some(control::serve(backend.clock.clone(), gate.clone()).await?) } else { None };
    let engine_url = engine
        .as_ref()
        .map_or_else(|| env::var(ENDPOINT).unwrap_or_default(), |engine| engine.url().to_owned());
    data_dir.announce(&Running {
        pid: std::process::id(),
        http: address.clone(),
        engine: engine_url,
        engine_access_key: engine.as_ref().map(|engine| engine.access_key().to_owned()),
        control,
    })?;
    welcome(&address, &backend, &TokenKey::load_or_create(&data_dir.keys())?, json)?;

    let mut requests = tokio::spawn(connections::serve(
        listener,
        edge::router(backend, gate, origins),
        ConnectionBounds::USUAL,
        stopping,
    ));
    until_told_to_stop().await?;
    info!("stopping: waiting for running requests");
    stop.send_replace(true);
    if tokio::time::timeout(DRAIN, &mut requests).await.is_err() {
        warn!("aborting the requests that did not end within the drain time");
        requests.abort();
    }
    workers.join_all().await;
    data_dir.withdraw();
    if let Some(engine) = engine {
        engine.stop().await;
    }
    Ok(())
}

/// The engine named by the environment, else an embedded one in the data directory.
async fn engine(
    data_dir: &DataDir,
    tables: &[Table],
    prefix: &str,
) -> Result<(SdkConfig, Option<Arc<Engine>>), Box<dyn Error + Send + Sync>> {
    if env::var_os(ENDPOINT).is_some() {
        return Ok((aws::config().await, None));
    }
    data_dir.lasting_keys()?;
    let engine = Engine::start_when_free(data_dir.path(), tables, prefix, RESTART_MAX).await;
    let engine = Arc::new(engine.map_err(|cause| whose(data_dir, cause))?);
    Ok((engine.sdk().await, Some(engine)))
}

/// If the data directory is in use and `server.json` names the server, replaces the error with one that gives
/// its address and process id.
fn whose(data_dir: &DataDir, cause: EngineError) -> Box<dyn Error + Send + Sync> {
    match (&cause, data_dir.running()) {
        (EngineError::InUse { path }, Ok(Some(Running { pid, http, .. }))) => format!(
            "a server runs on {} already: {http}, process {pid}; stop it, or choose another data directory",
            path.display()
        )
        .into(),
        _ => cause.into(),
    }
}

/// The first output: for a person the address and a curl to try, for a program one line of JSON.
fn welcome(address: &str, backend: &Backend, key: &TokenKey, json: bool) -> Result<(), infra::Failure> {
    let owner = UserId(backend.clock.id(backend.clock.now()));
    let token = key.mint(owner, backend.clock.now(), EXAMPLE_TOKEN_TTL_S)?;
    let text = if json {
        serde_json::json!({ "listening": address, "token": token }).to_string()
    } else {
        format!(
            "listening on {address}\n\n\
             Try it (the token is valid for one hour and belongs to a new account):\n\n  \
             TOKEN={token}\n  \
             curl -i {address}/v1/waitlists -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\\n       \
             -d '{{\"name\": \"Main room\", \"time_zone\": \"America/Los_Angeles\", \"region\": \"US\"}}'\n"
        )
    };
    let mut out = io::stdout().lock();
    if let Err(cause) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        warn!(%cause, "nobody can read where this listens; server.json says it too");
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

fn not_ours(listen: SocketAddr, cause: &io::Error) -> io::Error {
    let advice = match cause.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                "{listen} is taken by another process: stop it, or choose another port with --listen 127.0.0.1:0"
            )
        }
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "--listen {listen}: this machine has no such address; 127.0.0.1 is for itself alone, 0.0.0.0 for all networks it is in"
            )
        }
        _ => format!("--listen {listen}: {cause}"),
    };
    io::Error::new(cause.kind(), advice)
}

async fn until_told_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
