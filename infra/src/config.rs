//! Settings from the environment.

use std::{env, path::PathBuf};

use crate::{failure::Failure, limits::Bounds};

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
    /// KMS keys of access tokens, `WAITLIST_TOKEN_KEY` and `WAITLIST_TOKEN_KEY_PREVIOUS`; else files among the keys.
    pub token_keys: Option<(String, Option<String>)>,
    /// What parks doorbells that could not be applied: `WAITLIST_RETRIES_URL` and `WAITLIST_RETRIES_DEAD_URL`, else a table.
    pub retries: QueueAt,
    /// What brings work to whoever sends messages: `WAITLIST_DELIVERIES_URL` and `WAITLIST_DELIVERIES_DEAD_URL`, else a table.
    pub deliveries: QueueAt,
    /// What brings work to the eraser: `WAITLIST_ERASURES_URL` and `WAITLIST_ERASURES_DEAD_URL`, else a table.
    pub erasures: QueueAt,
    /// How many tries there may be: `WAITLIST_LIMITS`.
    pub bounds: Bounds,
}

/// Where a queue is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueAt {
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
    /// A KMS key wraps the accounts' keys; the directory holds the other keys and secrets.
    Kms {
        /// Its id or ARN.
        key: String,
        /// Where the others are.
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
        let directory = env::var("WAITLIST_KEYS_DIR").map_err(|_| {
            Failure::broken("read the configuration", "set WAITLIST_KEYS_DIR to the directory of key files")
        })?;
        let directory = PathBuf::from(directory);
        let keys = match env::var("WAITLIST_KMS_KEY") {
            Ok(key) => Keys::Kms { key, directory },
            Err(_) => Keys::Directory(directory),
        };
        let public_url = public_url()?.ok_or_else(|| {
            Failure::broken(
                "read the configuration",
                "set WAITLIST_PUBLIC_URL to what links in messages start with, https://waitlist.example",
            )
        })?;
        let token_keys = env::var("WAITLIST_TOKEN_KEY")
            .ok()
            .map(|key| (key, env::var("WAITLIST_TOKEN_KEY_PREVIOUS").ok()));
        let local = Self::local(&prefix(), &public_url, keys.directory().clone()).with_queues_from_env()?;
        Ok(Self { keys, token_keys, bounds: Bounds::from_env()?, ..local })
    }

    /// The same, with queues of SQS where the environment names any.
    ///
    /// # Errors
    /// Half of what a queue needs is set: the message names it.
    pub fn with_queues_from_env(self) -> Result<Self, Failure> {
        Ok(Self {
            retries: QueueAt::from_env("WAITLIST_RETRIES")?,
            deliveries: QueueAt::from_env("WAITLIST_DELIVERIES")?,
            erasures: QueueAt::from_env("WAITLIST_ERASURES")?,
            ..self
        })
    }

    /// Whether any queue is one of SQS.
    #[must_use]
    pub fn has_sqs(&self) -> bool {
        [&self.retries, &self.deliveries, &self.erasures]
            .into_iter()
            .any(|queue| matches!(queue, QueueAt::Sqs { .. }))
    }

    /// A deployment with all keys in files and all queues in a table: on one machine.
    #[must_use]
    pub fn local(prefix: &str, public_url: &str, keys: PathBuf) -> Self {
        Self {
            prefix: prefix.to_owned(),
            public_url: public_url.to_owned(),
            keys: Keys::Directory(keys),
            token_keys: None,
            retries: QueueAt::Table,
            deliveries: QueueAt::Table,
            erasures: QueueAt::Table,
            bounds: Bounds::default(),
        }
    }
}

impl QueueAt {
    fn from_env(name: &str) -> Result<Self, Failure> {
        let (url, dead_url) = (format!("{name}_URL"), format!("{name}_DEAD_URL"));
        match (env::var(&url), env::var(&dead_url)) {
            (Ok(url), Ok(dead_url)) => Ok(Self::Sqs { url, dead_url }),
            (Err(_), Err(_)) => Ok(Self::Table),
            _ => Err(Failure::broken(
                "read the configuration",
                format!("set both or none of {url} and {dead_url}"),
            )),
        }
    }
}

/// `WAITLIST_PUBLIC_URL`, without a slash at its end, if it is set.
///
/// # Errors
/// Links could not start with it: the message says what they can.
pub fn public_url() -> Result<Option<String>, Failure> {
    let Ok(text) = env::var("WAITLIST_PUBLIC_URL") else { return Ok(None) };
    let leads_somewhere = text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    });
    if !leads_somewhere || text.contains('#') {
        let advice =
            "WAITLIST_PUBLIC_URL must be http:// or https:// and a host, such as https://waitlist.example";
        return Err(Failure::broken("read the configuration", advice));
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}

/// `WAITLIST_PREFIX`, or its default.
#[must_use]
pub fn prefix() -> String {
    env::var("WAITLIST_PREFIX").unwrap_or_else(|_| PREFIX_DEFAULT.into())
}
