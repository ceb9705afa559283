//! Settings from the environment.

use std::{env, path::PathBuf};

use crate::{
    failure::Failure,
    limits::Bounds,
    messenger::{self, SENDS_PER_SECOND},
};

/// The name of a deployment without `WAITLIST_PREFIX`.
pub const PREFIX_DEFAULT: &str = "waitlist";

/// The settings that lambdas share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `WAITLIST_PREFIX`: table names start with it.
    pub prefix: String,
    /// `WAITLIST_PUBLIC_URL`, the base of links in messages, without a slash at its end.
    pub public_url: String,
    /// `WAITLIST_KMS_KEY`, else `WAITLIST_KEYS_DIR`.
    pub keys: Keys,
    /// KMS keys of access tokens, `WAITLIST_TOKEN_KEY` and `WAITLIST_TOKEN_KEY_PREVIOUS`; without them, key
    /// files.
    pub token_keys: Option<(String, Option<String>)>,
    /// Parked doorbells: `WAITLIST_RETRIES_URL` and `WAITLIST_RETRIES_DEAD_URL`, else a table.
    pub retries: QueueAt,
    /// Due work of visits and mails: `WAITLIST_DELIVERIES_URL` and `WAITLIST_DELIVERIES_DEAD_URL`, else a
    /// table.
    pub deliveries: QueueAt,
    /// Erasures: `WAITLIST_ERASURES_URL` and `WAITLIST_ERASURES_DEAD_URL`, else a table.
    pub erasures: QueueAt,
    /// `WAITLIST_LIMITS`: bounds on attempts.
    pub bounds: Bounds,
    /// Messages that one process sends in a second: `WAITLIST_SENDS_PER_SECOND`. One account's share of the
    /// queue follows from it.
    pub sends_per_second: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueAt {
    Table,
    Sqs {
        url: String,
        /// The dead-letter queue of its redrive policy.
        dead_url: String,
    },
}

/// The source of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    Directory(PathBuf),
    /// A KMS key wraps the accounts' keys; the directory holds the other keys and secrets.
    Kms {
        /// Id or ARN.
        key: String,
        directory: PathBuf,
    },
}

impl Keys {
    #[must_use]
    pub fn directory(&self) -> &PathBuf {
        match self {
            Self::Directory(directory) | Self::Kms { directory, .. } => directory,
        }
    }
}

impl Config {
    /// Reads the settings of a lambda from the environment.
    ///
    /// # Errors
    /// A required variable is not set; the error names it.
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
                "set WAITLIST_PUBLIC_URL to the base of links in messages, such as https://waitlist.example",
            )
        })?;
        let token_keys = env::var("WAITLIST_TOKEN_KEY")
            .ok()
            .map(|key| (key, env::var("WAITLIST_TOKEN_KEY_PREVIOUS").ok()));
        let local = Self::local(&prefix(), &public_url, keys.directory().clone()).with_queues_from_env()?;
        Ok(Self { keys, token_keys, bounds: Bounds::from_env()?, ..local })
    }

    /// Uses SQS for the queues that the environment names, and the rate of sending that it sets.
    ///
    /// # Errors
    /// Only one of a queue's two variables is set, or the rate is wrong; the error names it.
    pub fn with_queues_from_env(self) -> Result<Self, Failure> {
        Ok(Self {
            retries: QueueAt::from_env("WAITLIST_RETRIES")?,
            deliveries: QueueAt::from_env("WAITLIST_DELIVERIES")?,
            erasures: QueueAt::from_env("WAITLIST_ERASURES")?,
            sends_per_second: messenger::sends_per_second()?,
            ..self
        })
    }

    #[must_use]
    pub fn has_sqs(&self) -> bool {
        [&self.retries, &self.deliveries, &self.erasures]
            .into_iter()
            .any(|queue| matches!(queue, QueueAt::Sqs { .. }))
    }

    /// The configuration of a deployment on one machine: keys in files, queues in a table.
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
            sends_per_second: SENDS_PER_SECOND,
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

/// Reads `WAITLIST_PUBLIC_URL` and drops a slash at its end.
///
/// # Errors
/// It is not a URL that links can start with; the error says what is allowed.
pub fn public_url() -> Result<Option<String>, Failure> {
    let Ok(text) = env::var("WAITLIST_PUBLIC_URL") else { return Ok(None) };
    let is_base = text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    });
    if !is_base || text.contains('#') {
        let advice =
            "WAITLIST_PUBLIC_URL must be http:// or https:// and a host, such as https://waitlist.example";
        return Err(Failure::broken("read the configuration", advice));
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}

/// Returns `WAITLIST_PREFIX`, or its default.
#[must_use]
pub fn prefix() -> String {
    env::var("WAITLIST_PREFIX").unwrap_or_else(|_| PREFIX_DEFAULT.into())
}
