//! The `waitlist` command.

use std::process::ExitCode;

use clap::Parser;
use local::cli::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    run(Cli::parse()).await
}
