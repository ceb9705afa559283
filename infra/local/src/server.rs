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
use axum::http::HeaderValue;
use infra::{Backend, Clock, Config, aws, config, limits::Bounds, tables, token::TokenKey};
use schema::{
    UserId,
    table::{CHECKPOINTS, DEPLOYED, EVENTS, LOCAL, Table},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing::{info, warn};

use crate::{
    control,
    data_dir::{DataDir, Running},
    edge,
    engine::Engine,
    gate::Gate,
    pump::Source,
    workers,
};

/// Names an engine to be used instead of one of our own; AWS's SDK reads it too.
pub(crate) const ENDPOINT: &str = "AWS_ENDPOINT_URL_DYNAMODB";

/// For how long a stopping server waits for requests that run.
const DRAIN: Duration = Duration::from_secs(10);

/// How long the token in the printed example is good for.
const EXAMPLE_TOKEN_TTL_S: u32 = 3_600;

/// Serves until Ctrl-C or SIGTERM; then what runs is finished. With a manual clock, whoever can read `server.json` can move it.
///
/// # Errors
/// The directory, the engine, the tables, the keys or the address cannot be had: the message says what to do.
pub async fn serve(data_dir: &DataDir, listen: SocketAddr, manual_clock: bool) -> Result<(), Box<dyn Error + Send + Sync>> {
    let prefix = config::prefix();
    let (sdk, engine) = engine(data_dir, &prefix).await?;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let tables: Vec<Table> = DEPLOYED.iter().chain(LOCAL).copied().collect();
    tables::create(&dynamodb, &prefix, &tables).await?;
    if let Some(engine) = &engine {
        engine.index_scans().await?;
    }

    let listener = TcpListener::bind(listen).await.map_err(|cause| busy(listen, cause))?;
    let address = format!("http://{}", listener.local_addr()?);
    let public_url = env::var("WAITLIST_PUBLIC_URL").unwrap_or_else(|_| address.clone()).trim_end_matches('/').to_owned();
    let origins = origins()?;
    let config = Config { bounds: Bounds::from_env()?, ..Config::local(&prefix, &public_url, data_dir.keys()) };
    let backend = Backend::new(&sdk, dynamodb.clone(), &config, Clock::system())?;

    let (stop, stopping) = watch::channel(false);
    let source = Source {
        streams: aws_sdk_dynamodbstreams::Client::new(&sdk),
        dynamodb,
        table: EVENTS.name(&prefix),
        checkpoints: CHECKPOINTS.name(&prefix),
    };
    let gate = Gate::default();
    let workers = workers::start(&backend, source, &prefix, engine.clone(), &gate, &stopping);
    let control = if manual_clock { Some(control::serve(backend.clock.clone(), gate.clone()).await?) } else { None };
    let engine_url = engine.as_ref().map_or_else(|| env::var(ENDPOINT).unwrap_or_default(), |engine| engine.url().to_owned());
    data_dir.announce(&Running { pid: std::process::id(), http: address.clone(), engine: engine_url, control })?;
    welcome(&address, &backend, &TokenKey::load_or_create(&data_dir.keys())?)?;

    let requests = axum::serve(listener, edge::router(backend, gate, origins).into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(until_set(stopping));
    let mut requests = tokio::spawn(requests.into_future());
    until_told_to_stop().await?;
    info!("stopping: finishing what runs");
    stop.send_replace(true);
    if tokio::time::timeout(DRAIN, &mut requests).await.is_err() {
        warn!("some requests did not end in time");
        requests.abort();
    }
    workers.join_all().await;
    data_dir.withdraw();
    if let Some(engine) = engine {
        engine.stop().await;
    }
    Ok(())
}

/// The engine that the environment names, else one of our own in the data directory.
async fn engine(data_dir: &DataDir, prefix: &str) -> Result<(SdkConfig, Option<Arc<Engine>>), Box<dyn Error + Send + Sync>> {
    if env::var_os(ENDPOINT).is_some() {
        return Ok((aws::config().await, None));
    }
    let tables: Vec<Table> = DEPLOYED.iter().chain(LOCAL).copied().collect();
    let engine = Arc::new(Engine::start(data_dir.path(), &tables, prefix)?);
    Ok((aws::local(engine.url()).await, Some(engine)))
}

/// What a person at the terminal is waiting for.
fn welcome(address: &str, backend: &Backend, key: &TokenKey) -> Result<(), infra::Failure> {
    let owner = UserId(backend.clock.id(backend.clock.now()));
    let token = key.mint(owner, backend.clock.now(), EXAMPLE_TOKEN_TTL_S)?;
    let text = format!(
        "listening on {address}\n\n\
         Try it; the token is good for an hour, for an account of its own:\n\n  \
         TOKEN={token}\n  \
         curl -i {address}/v1/waitlists -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\\n       \
         -d '{{\"name\": \"Main room\", \"time_zone\": \"America/Los_Angeles\", \"region\": \"US\"}}'\n"
    );
    let mut out = io::stdout().lock();
    if let Err(cause) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        warn!(%cause, "nobody can read where this listens; server.json says it too");
    }
    Ok(())
}

/// The origins in `WAITLIST_CORS_ORIGINS`, comma-separated.
fn origins() -> Result<Vec<HeaderValue>, String> {
    let listed = env::var("WAITLIST_CORS_ORIGINS").unwrap_or_default();
    let origins = listed.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    let wrong = |origin| format!("WAITLIST_CORS_ORIGINS: {origin:?} is no origin such as https://host.example");
    origins.map(|origin| origin.parse().ok().filter(|_| origin.contains("://")).ok_or_else(|| wrong(origin))).collect()
}

fn busy(listen: SocketAddr, cause: io::Error) -> io::Error {
    if cause.kind() != io::ErrorKind::AddrInUse {
        return cause;
    }
    let advice = format!("{listen} is taken by another process: stop it, or choose another port with --listen 127.0.0.1:0");
    io::Error::new(cause.kind(), advice)
}

async fn until_told_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

async fn until_set(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone has nothing more to run for either.
    let _gone = stopping.wait_for(|stop| *stop).await;
}
