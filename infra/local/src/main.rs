//! The `waitlist` command.

use std::process::ExitCode;

use local::cli::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    run(Cli::read()).await
}
