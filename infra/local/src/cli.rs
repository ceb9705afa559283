//! The command line: parses the arguments and runs a command.

mod audit;
mod clock;
mod dead_letters;
mod deployment;
mod operator;
mod outbox;
mod print;
mod progress;
mod projections;
mod rebuild;
mod restore;
mod seed;
mod segments;
mod status;
mod sweep;
mod tick;
mod token;
mod usage;
mod value;
mod verify;

use std::{
    error::Error,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand, ValueEnum, error::ErrorKind};
use infra::{
    function::{Need, TICK},
    telemetry,
};
use schema::openapi;

use self::{
    deployment::{Deployment, NoTables},
    print::{counted, findings, is_closed_pipe, print, print_bytes, print_text, with_causes},
    usage::{Misuse, misused},
    value::{duration, stream},
};
use crate::{
    data_dir::DataDir,
    server::{self, Start},
};

/// The waiting list of a full restaurant: the whole backend, and commands for its operator.
#[derive(Debug, Parser)]
#[command(name = "waitlist", version, after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage.")]
pub struct Cli {
    /// Directory of the local backend's data and keys.
    #[arg(long, global = true, env = "WAITLIST_DATA_DIR", default_value = "./.waitlist", value_name = "DIR")]
    data_dir: PathBuf,

    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,

    /// Work on the AWS deployment named by the environment, not on the data directory.
    #[arg(long, global = true)]
    aws: bool,

    #[command(subcommand)]
    command: Option<Command>,

    /// The names of the subcommand and of its own subcommand.
    #[arg(skip)]
    path: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole backend (the default).
    Serve(Serve),
    /// Print an access token signed with the local key, and nothing else.
    Token(token::Token),
    /// Move the clock of a server that was started with --manual-clock.
    #[command(subcommand)]
    Clock(clock::Clock),
    /// Show the state of the local backend: server, projections, queues and dead letters.
    ///
    /// Of the server: address, version, clock, and the last look of the tick. Of each projection: its generations, its
    /// last rebuild, and the lag, which is the age of the oldest event that may not be in its row. Of each queue: the messages in it,
    /// and the dead letters. Without a running server the tables are read; clock, last tick and lag are then unknown.
    Status,
    /// Queue due work once: messages, reminders, holds that ended, visits that lasted too long.
    ///
    /// A running server does this each minute and when its clock is moved, unless started with --no-tick. It
    /// also works off the queue.
    Tick,
    /// Show the e-mails and texts of the local outbox.
    Outbox(outbox::Outbox),
    /// Grant or revoke system-wide operations, or set how many texts an account may send.
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Show the history of an account, or make and check checkpoints of the whole log.
    ///
    /// Without a subcommand: the history of an account. Its owner sees there that you read it, and with which
    /// filters.
    Audit(Box<audit::Audit>),
    /// Verify that no stored event was altered, removed or added: hash chains, derived attributes, and rows ahead
    /// of the log.
    Verify(verify::Verify),
    /// Compare every row with the log: ring again what was lost, and report rows that are ahead.
    ///
    /// A guest or account that was erased, and has a key again because the vault was restored, is erased again.
    Sweep(sweep::Sweep),
    /// Show the generations of every projection, and its last rebuild.
    Projections,
    /// Rebuild a projection from the log, follow a rebuild, promote it, or go back.
    #[command(subcommand)]
    Rebuild(rebuild::Rebuild),
    /// Prepare restored tables for use, before a server or functions work on them.
    ///
    /// Creates and fills the tables of rows, repeats erasures that the restored log lacks, and ends the messages that were
    /// still to be sent: they may have been sent since.
    Restore(restore::Restore),
    /// Make up a past: an account with lists and visits, for trying out and measuring.
    ///
    /// Needs a data directory that no server uses, and creates it if there is none.
    Seed(seed::Seed),
    /// Print the OpenAPI document of the HTTP API.
    Openapi,
    /// List, show or redrive dead letters: work that failed too often.
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLetters),
}

#[derive(Debug, Args)]
struct Serve {
    /// Address to listen on; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// Format of log lines on standard error.
    #[arg(long, value_enum, default_value_t = Log::Text)]
    log: Log,

    /// Allow `waitlist clock` to move the time.
    #[arg(long)]
    manual_clock: bool,

    /// Do not queue due work each minute; `waitlist tick` does it once.
    #[arg(long)]
    no_tick: bool,
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            log: Log::Text,
            manual_clock: false,
            no_tick: false,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Log {
    Text,
    Json,
}

/// The error of a failed command. It is printed with its causes.
type Failed = Box<dyn Error + Send + Sync>;

/// Runs a command. Returns success too when the reader of standard output goes away, as in
/// `waitlist outbox | head`.
pub async fn run(cli: Cli) -> ExitCode {
    let command = cli.command.unwrap_or_else(|| Command::Serve(Serve::default()));
    if let Some(name) = command.local_only().filter(|_| cli.aws) {
        let misuse = format!("`waitlist {name}` works only on the local backend; leave out --aws");
        return misused(&cli.path, ErrorKind::ArgumentConflict, misuse);
    }
    let aws = |needs: &'static [Need]| cli.aws.then_some(needs);
    let done = match command {
        Command::Serve(serve) => start(&cli.data_dir, &serve, cli.json).await,
        Command::Token(token) => token::mint(&cli.data_dir, &token, cli.json).await,
        Command::Clock(clock) => clock::run(&cli.data_dir, &clock, cli.json).await,
        Command::Operator(operator) => {
            on(&cli.data_dir, aws(operator::NEEDS), async |at| operator::run(at, &operator, cli.json).await)
                .await
        }
        Command::Seed(seed) => seed::run(&cli.data_dir, &seed, cli.json).await,
        Command::Outbox(outbox) => outbox::run(&cli.data_dir, &outbox, cli.json).await,
        Command::Status => on(&cli.data_dir, aws(&[]), async |at| status::run(at, cli.json).await).await,
        Command::Tick => on(&cli.data_dir, aws(TICK.needs), async |at| tick::run(at, cli.json).await).await,
        Command::Audit(audit) => audit::run(&audit, &cli.data_dir, cli.aws, cli.json).await,
        Command::Verify(verify) => {
            on(&cli.data_dir, aws(verify::NEEDS), async |at| verify::run(at, &verify, cli.json).await).await
        }
        Command::Sweep(sweep) => {
            on(&cli.data_dir, aws(sweep::NEEDS), async |at| sweep::run(at, &sweep, cli.json).await).await
        }
        Command::Projections => {
            on(&cli.data_dir, aws(&[]), async |at| projections::run(at, cli.json).await).await
        }
        Command::Rebuild(rebuild) => {
            on(&cli.data_dir, aws(rebuild::NEEDS), async |at| rebuild::run(at, &rebuild, cli.json).await)
                .await
        }
        Command::Restore(restore) => {
            let needs = aws(restore::NEEDS);
            on(&cli.data_dir, needs, async |at| restore::run(at, &restore, cli.aws, cli.json).await).await
        }
        Command::Openapi => print_text(openapi::DOCUMENT).map_err(Failed::from),
        Command::DeadLetters(command) => {
            on(&cli.data_dir, aws(dead_letters::NEEDS), async |at| {
                dead_letters::run(at, &command, cli.json).await
            })
            .await
        }
    };
    telemetry::flush();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => match error.downcast::<Misuse>() {
            Ok(misuse) => misused(&cli.path, ErrorKind::ValueValidation, misuse.0),
            Err(error) => {
                telemetry::tell(with_causes(&*error));
                ExitCode::from(1)
            }
        },
    }
}

impl Command {
    /// Returns the name of a command that does not work on AWS.
    fn local_only(&self) -> Option<&'static str> {
        match self {
            Self::Serve(_) => Some("serve"),
            Self::Token(_) => Some("token"),
            Self::Clock(_) => Some("clock"),
            Self::Status => Some("status"),
            Self::Outbox(_) => Some("outbox"),
            Self::Seed(_) => Some("seed"),
            Self::Operator(_)
            | Self::Tick
            | Self::Audit(_)
            | Self::Verify(_)
            | Self::Sweep(_)
            | Self::Projections
            | Self::Rebuild(_)
            | Self::Restore(_)
            | Self::Openapi
            | Self::DeadLetters(_) => None,
        }
    }
}

async fn start(data_dir: &Path, serve: &Serve, json: bool) -> Result<(), Failed> {
    telemetry::init_in_background(match serve.log {
        Log::Text => telemetry::Style::Text,
        Log::Json => telemetry::Style::Json,
    });
    let start = Start { listen: serve.listen, manual_clock: serve.manual_clock, tick: !serve.no_tick, json };
    server::serve(&DataDir::open(data_dir)?, start).await
}

/// Runs a command on a deployment, and closes the deployment even after an error.
async fn on(
    data_dir: &Path,
    aws: Option<&[Need]>,
    run: impl AsyncFnOnce(&Deployment) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let deployment = match aws {
        Some(needs) => Deployment::in_aws(needs).await?,
        None => Deployment::local(data_dir).await?,
    };
    let done = run(&deployment).await.map_err(|cause| NoTables::name(cause, deployment.running.as_ref()));
    deployment.close().await;
    done
}
