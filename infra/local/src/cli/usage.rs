//! Reads the arguments of the process, and explains wrong ones.

use std::process::ExitCode;

use clap::{
    CommandFactory as _, FromArgMatches as _,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::Cli;

/// The arguments do not fit together, or one has a wrong value. Nothing was done.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Misuse(pub(super) String);

impl Cli {
    /// Reads the arguments of the process. Ends it if they are wrong, or ask for help.
    #[must_use]
    pub fn read() -> Self {
        let read = Self::command().try_get_matches().and_then(|matches| {
            let mut cli = Self::from_arg_matches(&matches)?;
            let mut at = &matches;
            while let Some((name, inner)) = at.subcommand() {
                cli.path.push(name.to_owned());
                at = inner;
            }
            Ok(cli)
        });
        read.unwrap_or_else(|mut error| {
            if let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand)
                && error.kind() == ErrorKind::ArgumentConflict
            {
                let tip = format!("give the options of `{name}` after its name");
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
            }
            error.exit()
        })
    }
}

/// Prints the misuse, with the usage of the command at this path.
pub(super) fn misused(path: &[String], kind: ErrorKind, misuse: String) -> ExitCode {
    let mut command = Cli::command();
    command.build();
    for name in path {
        if let Some(inner) = command.find_subcommand(name).cloned() {
            command = inner;
        }
    }
    let _unread = command.error(kind, misuse).print();
    ExitCode::from(2)
}
