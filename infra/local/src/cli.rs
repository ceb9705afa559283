//! The command line.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use infra::{Clock, telemetry, token::TokenKey};
use schema::UserId;

use crate::{data_dir::DataDir, server};

/// The waiting list of a full restaurant: the whole backend, and its operator's commands.
#[derive(Debug, Parser)]
#[command(name = "waitlist", version, after_help = "Exit codes: 0 done, 1 refused or found wrong, 2 usage.")]
pub struct Cli {
    /// Where the local backend keeps its data and keys.
    #[arg(long, global = true, env = "WAITLIST_DATA_DIR", default_value = "./.waitlist", value_name = "DIR")]
    data_dir: PathBuf,

    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole backend (the default).
    Serve(Serve),
    /// Print an access token signed with the local key, and nothing else.
    Token(Token),
}

#[derive(Debug, Args)]
struct Serve {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// How log lines on standard error look.
    #[arg(long, value_enum, default_value_t = Log::Text)]
    log: Log,
}

impl Default for Serve {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), log: Log::Text }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Log {
    Text,
    Json,
}

#[derive(Debug, Args)]
struct Token {
    /// The account it is for.
    #[arg(long, value_name = "UUID")]
    owner: UserId,

    /// How long it is good for: a number and s, m or h.
    #[arg(long, default_value = "15m", value_parser = parse_ttl, value_name = "TTL")]
    ttl: u32,
}

/// Runs a command.
pub async fn run(cli: Cli) -> ExitCode {
    let done = match cli.command.unwrap_or_else(|| Command::Serve(Serve::default())) {
        Command::Serve(serve) => {
            telemetry::init(match serve.log {
                Log::Text => telemetry::Style::Text,
                Log::Json => telemetry::Style::Json,
            });
            match DataDir::open(&cli.data_dir) {
                Ok(data_dir) => server::serve(&data_dir, serve.listen, cli.json).await,
                Err(cause) => Err(cause.into()),
            }
        }
        Command::Token(token) => mint(&cli.data_dir, &token, cli.json),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&*error);
            ExitCode::from(1)
        }
    }
}

fn mint(data_dir: &std::path::Path, token: &Token, json: bool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let keys = DataDir::open(data_dir)?.keys();
    let text = TokenKey::load_or_create(&keys)?.mint(token.owner, Clock::system().now(), token.ttl)?;
    let line =
        if json { serde_json::json!({ "access_token": text, "token_type": "Bearer", "expires_in": token.ttl }).to_string() } else { text };
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|cause| format!("print the token: {cause}"))?;
    Ok(())
}

/// The error and its causes, each on a line.
#[expect(clippy::print_stderr, reason = "to the person at the terminal")]
fn complain(error: &(dyn std::error::Error + 'static)) {
    eprintln!("error: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
}

fn parse_ttl(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text:?} is no duration: write a whole number and s, m or h, such as 15m, up to 24h");
    let unit = text.chars().last().and_then(|unit| {
        Some(match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            _ => return None,
        })
    });
    let unit: u32 = unit.ok_or_else(wrong)?;
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    number.checked_mul(unit).filter(|seconds| (1..=24 * 3_600).contains(seconds)).ok_or_else(wrong)
}
