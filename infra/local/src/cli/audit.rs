//! `waitlist audit`: the history of an account, and checkpoints of the whole log.

mod check;
mod checkpoint;
mod export;
mod failed;
mod history;
mod key;
mod prove;
mod reader;

use std::path::Path;

use clap::{Args, Subcommand};

use super::{Failed, on};

/// Without a subcommand, the history of an account.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Audit {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    history: history::History,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the history of an account to a file or to standard output: every event, oldest first.
    ///
    /// The account's owner sees in the history that you read it. The file ends ten seconds ago, or at --to if that is
    /// earlier. It has the name FILE.part until it is whole.
    Export(Box<export::Export>),
    /// Write a checkpoint of the log to a new file: the last number and hash of every stream, and a signature.
    ///
    /// Keep the file where those who can write to the events table cannot change it. `audit check` then finds
    /// commits and streams that were removed, and hash chains that were recomputed. No file is written if a
    /// hash chain is broken already, or if the log is not as the --previous checkpoint has it; the streams are named.
    Checkpoint(checkpoint::Checkpoint),
    /// Check that the log still holds everything that a checkpoint covers.
    ///
    /// Checks the signature, then that the streams in the file give the signed root, then each stream up to the
    /// event that the file names. What was appended since makes no difference. Names each stream that differs, and
    /// then fails with 1. It also fails with 1 if the log cannot be read, and says so; `ok` is null then with --json.
    Check(check::Check),
    /// Print a proof that a checkpoint covers one stream.
    ///
    /// The proof is a text of the form c2sp.org/tlog-proof. It can be verified with the verifier key alone, and
    /// tells nothing about other streams. Reads the file only, not the log.
    Prove(prove::Prove),
}

/// Runs a subcommand, or shows the history of an account.
pub(super) async fn run(audit: &Audit, data_dir: &Path, aws: bool, json: bool) -> Result<(), Failed> {
    let Audit { command, history } = audit;
    match command {
        None => {
            let query = history.query()?;
            let needs = history.reader.needs(aws)?;
            on(data_dir, needs, async |at| history::run(at, history, &query, json).await).await
        }
        Some(Command::Export(command)) => {
            let export = command.query()?;
            let needs = command.reader.needs(aws)?;
            on(data_dir, needs, async |at| export::run(at, command, export, json).await).await
        }
        Some(Command::Checkpoint(command)) => {
            let key = command.key(data_dir, aws)?;
            on(data_dir, aws.then_some(checkpoint::NEEDS), async |at| {
                checkpoint::run(at, command, &key, json).await
            })
            .await
        }
        Some(Command::Check(command)) => {
            let files = command.files(data_dir, aws)?;
            on(data_dir, aws.then_some(checkpoint::NEEDS), async |at| {
                check::run(at, command, &files, json).await
            })
            .await
        }
        Some(Command::Prove(command)) => prove::run(command, data_dir, aws, json),
    }
}
