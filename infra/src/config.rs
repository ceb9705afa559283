//! Settings from the environment.

use std::{env, path::PathBuf, time::Duration};

use crate::{
    failure::Failure,
    function::Need,
    generations::SET_AGE_MAX,
    limits::Bounds,
    messenger::{self, SENDS_PER_SECOND},
};

/// The name of a deployment without `WAITLIST_PREFIX`.
pub const PREFIX_DEFAULT: &str = "waitlist";

/// The settings of one process. An adapter that the process does not need has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `WAITLIST_PREFIX`: table names start with it.
    pub prefix: String,
    /// `WAITLIST_PUBLIC_URL`, the base of links in messages, without a slash at its end.
    pub public_url: Option<String>,
    /// Wraps the keys of accounts: `WAITLIST_KMS_KEY`.
    pub master: Option<KeyAt>,
    /// Signs access tokens: `WAITLIST_TOKEN_KEY`.
    pub token_key: Option<KeyAt>,
    /// A KMS key whose tokens are accepted as well: `WAITLIST_TOKEN_KEY_PREVIOUS`.
    pub token_key_previous: Option<String>,
    /// `WAITLIST_LINKS_SECRET`.
    pub links: Option<KeyAt>,
    /// `WAITLIST_CLAIMS_SECRET`.
    pub claims: Option<KeyAt>,
    /// Parked doorbells.
    pub retries: Option<QueueAt>,
    /// Due work of visits and mails.
    pub deliveries: Option<QueueAt>,
    pub erasures: Option<QueueAt>,
    /// Steps of rebuilds.
    pub rebuilds: Option<QueueAt>,
    /// Sweeps under way.
    pub sweeps: Option<QueueAt>,
    /// Pointers to stream records that were given up.
    pub stream_failures: Option<QueueAt>,
    /// `WAITLIST_LIMITS`: bounds on attempts.
    pub bounds: Bounds,
    /// Messages that one process sends in a second: `WAITLIST_SENDS_PER_SECOND`. One account's share of the
    /// queue follows from it.
    pub sends_per_second: u32,
    /// The oldest set of generations that is used.
    pub set_age_max: Duration,
}

/// The place of a key or secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAt {
    /// A directory of key files: `WAITLIST_KEYS_DIR`, where the setting of its own is not set.
    Files(PathBuf),
    /// Id or ARN of a KMS key, or name or ARN of a secret in Secrets Manager.
    Aws(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueAt {
    /// The table of queues, where there is no SQS.
    Table,
    Sqs {
        url: String,
        /// The dead-letter queue of its redrive policy. Only the command line uses it.
        dead_url: Option<String>,
    },
}

/// A gigabyte of events takes about forty minutes.
const SWEEP_READ_UNITS: u32 = 200;

/// The value of a queue's setting that puts the queue into a table.
const IN_A_TABLE: &str = "table";

impl Config {
    /// Reads the settings that these needs ask for.
    ///
    /// # Errors
    /// A setting is missing or wrong; the error names it.
    pub fn from_env(needs: &[Need]) -> Result<Self, Failure> {
        let needed = |need| needs.contains(&need);
        let key = |need, setting: &str| match env::var(setting) {
            _ if !needed(need) => Ok(None),
            Ok(id) => Ok(Some(KeyAt::Aws(id))),
            Err(_) => keys_dir(setting).map(KeyAt::Files).map(Some),
        };
        let queue = |need, name: &str| match QueueAt::from_env(name) {
            _ if !needed(need) => Ok(None),
            Ok(None) => Err(missing(format!(
                "set WAITLIST_{name}_URL to the URL of an SQS queue, or to \"{IN_A_TABLE}\""
            ))),
            at => at,
        };
        Ok(Self {
            prefix: prefix(),
            public_url: if needed(Need::PublicUrl) { Some(required_public_url()?) } else { None },
            master: key(Need::MasterKey, "WAITLIST_KMS_KEY")?,
            token_key: key(Need::TokenKeys, "WAITLIST_TOKEN_KEY")?,
            token_key_previous: env::var("WAITLIST_TOKEN_KEY_PREVIOUS").ok(),
            links: key(Need::Links, "WAITLIST_LINKS_SECRET")?,
            claims: key(Need::Claims, "WAITLIST_CLAIMS_SECRET")?,
            retries: queue(Need::Retries, "RETRIES")?,
            deliveries: queue(Need::Deliveries, "DELIVERIES")?,
            erasures: queue(Need::Erasures, "ERASURES")?,
            rebuilds: queue(Need::Rebuilds, "REBUILDS")?,
            sweeps: queue(Need::Sweeps, "SWEEPS")?,
            stream_failures: queue(Need::StreamFailures, "STREAM_FAILURES")?,
            bounds: Bounds::from_env()?,
            sends_per_second: messenger::sends_per_second()?,
            set_age_max: SET_AGE_MAX,
        })
    }

    /// Returns the settings of a deployment on one machine: keys in files, queues in a table.
    #[must_use]
    pub fn local(prefix: &str, public_url: &str, keys: PathBuf) -> Self {
        Self {
            prefix: prefix.to_owned(),
            public_url: Some(public_url.to_owned()),
            master: Some(KeyAt::Files(keys.clone())),
            token_key: Some(KeyAt::Files(keys.clone())),
            token_key_previous: None,
            links: Some(KeyAt::Files(keys.clone())),
            claims: Some(KeyAt::Files(keys)),
            retries: Some(QueueAt::Table),
            deliveries: Some(QueueAt::Table),
            erasures: Some(QueueAt::Table),
            rebuilds: Some(QueueAt::Table),
            sweeps: Some(QueueAt::Table),
            stream_failures: Some(QueueAt::Table),
            bounds: Bounds::default(),
            sends_per_second: SENDS_PER_SECOND,
            set_age_max: SET_AGE_MAX,
        }
    }

    /// Uses SQS for the queues that the environment names, and the rate of sending that it sets.
    ///
    /// # Errors
    /// A queue's URL is missing, or the rate is wrong.
    pub fn with_queues_from_env(self) -> Result<Self, Failure> {
        let queue = |name| Ok::<_, Failure>(Some(QueueAt::from_env(name)?.unwrap_or(QueueAt::Table)));
        Ok(Self {
            retries: queue("RETRIES")?,
            deliveries: queue("DELIVERIES")?,
            erasures: queue("ERASURES")?,
            rebuilds: queue("REBUILDS")?,
            sweeps: queue("SWEEPS")?,
            stream_failures: queue("STREAM_FAILURES")?,
            sends_per_second: messenger::sends_per_second()?,
            ..self
        })
    }

    #[must_use]
    pub fn has_sqs(&self) -> bool {
        let work = [&self.retries, &self.deliveries, &self.erasures, &self.rebuilds];
        work.into_iter()
            .chain([&self.sweeps, &self.stream_failures])
            .any(|queue| matches!(queue, Some(QueueAt::Sqs { .. })))
    }
}

/// The read units per second of a sweep in AWS: `WAITLIST_SWEEP_READ_UNITS`.
///
/// # Errors
/// The setting is no positive number.
pub fn sweep_read_units() -> Result<u32, Failure> {
    let Ok(text) = env::var("WAITLIST_SWEEP_READ_UNITS") else { return Ok(SWEEP_READ_UNITS) };
    text.parse().ok().filter(|units| *units > 0).ok_or_else(|| {
        missing(format!("WAITLIST_SWEEP_READ_UNITS is {text:?}; write a whole number of 1 or more"))
    })
}

impl QueueAt {
    /// Reads `WAITLIST_<name>_URL` and `WAITLIST_<name>_DEAD_URL`. `None` when neither is set.
    fn from_env(name: &str) -> Result<Option<Self>, Failure> {
        let (url, dead_url) = (format!("WAITLIST_{name}_URL"), format!("WAITLIST_{name}_DEAD_URL"));
        match (env::var(&url), env::var(&dead_url).ok()) {
            (Ok(url), _) if url == IN_A_TABLE => Ok(Some(Self::Table)),
            (Ok(url), dead_url) => Ok(Some(Self::Sqs { url, dead_url })),
            (Err(_), None) => Ok(None),
            (Err(_), Some(_)) => Err(missing(format!("set {url} as well as {dead_url}"))),
        }
    }
}

/// The directory of key files, which stands in for a setting that names a key or secret in AWS.
fn keys_dir(setting: &str) -> Result<PathBuf, Failure> {
    env::var("WAITLIST_KEYS_DIR").map(PathBuf::from).map_err(|_| {
        missing(format!(
            "set {setting} to the ARN of a key or secret in AWS, or WAITLIST_KEYS_DIR to a directory of key files"
        ))
    })
}

fn missing(advice: String) -> Failure {
    Failure::broken("read the configuration", advice)
}

fn required_public_url() -> Result<String, Failure> {
    public_url()?.ok_or_else(|| {
        missing(
            "set WAITLIST_PUBLIC_URL to the base of links in messages, such as https://waitlist.example"
                .to_owned(),
        )
    })
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
