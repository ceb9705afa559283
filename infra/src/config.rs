//! Settings from the environment.

use std::{env, path::PathBuf};

use crate::failure::Failure;

/// What a deployment is called when nothing else is said.
pub const PREFIX_DEFAULT: &str = "waitlist";

/// The settings that lambdas share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What table names start with: `WAITLIST_PREFIX`.
    pub prefix: String,
    /// Where guests' pages are: `WAITLIST_PUBLIC_URL`, without a slash at its end.
    pub public_url: String,
    /// Where keys come from: `WAITLIST_KMS_KEY`, else `WAITLIST_KEYS_DIR`.
    pub keys: Keys,
    /// What parks doorbells that could not be applied: `WAITLIST_RETRIES_URL` and `WAITLIST_RETRIES_DEAD_URL`, else a table.
    pub retries: Retries,
}

/// What parks doorbells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retries {
    /// A queue in a table.
    Table,
    /// Queues of SQS.
    Sqs {
        /// The queue.
        url: String,
        /// Where its redrive policy leads.
        dead_url: String,
    },
}

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Files in a directory.
    Directory(PathBuf),
    /// A KMS key wraps the accounts' keys; the directory holds the token key.
    Kms {
        /// Its id or ARN.
        key: String,
        /// Where the token key is.
        directory: PathBuf,
    },
}

impl Keys {
    /// The directory of key files.
    #[must_use]
    pub fn directory(&self) -> &PathBuf {
        match self {
            Self::Directory(directory) | Self::Kms { directory, .. } => directory,
        }
    }
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// A variable that is needed is not set: the message names it.
    pub fn from_env() -> Result<Self, Failure> {
        let directory = env::var("WAITLIST_KEYS_DIR")
            .map_err(|_| Failure::broken("read the configuration", "set WAITLIST_KEYS_DIR to the directory of key files"))?;
        let directory = PathBuf::from(directory);
        let keys = match env::var("WAITLIST_KMS_KEY") {
            Ok(key) => Keys::Kms { key, directory },
            Err(_) => Keys::Directory(directory),
        };
        let public_url = env::var("WAITLIST_PUBLIC_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".into());
        let retries = match (env::var("WAITLIST_RETRIES_URL"), env::var("WAITLIST_RETRIES_DEAD_URL")) {
            (Ok(url), Ok(dead_url)) => Retries::Sqs { url, dead_url },
            (Err(_), Err(_)) => Retries::Table,
            _ => {
                return Err(Failure::broken(
                    "read the configuration",
                    "set both or none of WAITLIST_RETRIES_URL and WAITLIST_RETRIES_DEAD_URL",
                ));
            }
        };
        Ok(Self { retries, prefix: prefix(), public_url: public_url.trim_end_matches('/').to_owned(), keys })
    }
}

/// `WAITLIST_PREFIX`, or its default.
#[must_use]
pub fn prefix() -> String {
    env::var("WAITLIST_PREFIX").unwrap_or_else(|_| PREFIX_DEFAULT.into())
}
