//! The adapters that handlers use, built once per process.

use std::time::Duration;

use aws_config::SdkConfig;
use schema::table;

use crate::{
    aws,
    clock::Clock,
    config::{Config, Keys, QueueAt},
    failure::Failure,
    key_files,
    limits::Limits,
    log::Log,
    queue::{FairShare, Policy, Queue, SqsQueue, TableQueue},
    rows::Rows,
    secret::{self, Secrets},
    token::{self, Tokens},
    vault::{FileKey, KmsKey, MasterKey, Vault},
};

// The names of the queues.
const RETRIES: &str = "retries";
const DELIVERIES: &str = "deliveries";
const ERASURES: &str = "erasures";

/// A parked doorbell is tried five times at intervals of 30 s before it becomes a dead letter.
pub const RETRY_POLICY: Policy = Policy { visibility: Duration::from_secs(30), attempts_max: 5 };

/// The visibility time-out covers a slow send and the recording of its outcome, so that no second receiver
/// gets the message.
pub const DELIVERY_POLICY: Policy = Policy { visibility: Duration::from_secs(90), attempts_max: 10 };

/// An erasure takes moments. A failed one is tried again every minute, fifty times, before it becomes a dead
/// letter.
pub const ERASURE_POLICY: Policy = Policy { visibility: Duration::from_secs(60), attempts_max: 50 };

/// Fails if a key file is missing. Lambdas share their key files; a file created by one lambda would be
/// unknown to the others.
fn check_key_files(config: &Config) -> Result<(), Failure> {
    let master = matches!(config.keys, Keys::Directory(_)).then_some(key_files::MASTER);
    let token = config.token_keys.is_none().then_some(token::LOCAL_KEY);
    for name in [Some(secret::CURRENT), Some(key_files::CLAIMS), master, token].into_iter().flatten() {
        let path = config.keys.directory().join(name);
        if !path.is_file() {
            let advice = "the file does not exist; a local server creates it at its start, and all lambdas must use the same file";
            return Err(Failure::broken(format!("read the key {}", path.display()), advice));
        }
    }
    Ok(())
}

/// The adapters of one deployment. Clones share connections and caches.
#[derive(Clone)]
pub struct Backend {
    pub log: Log,
    pub rows: Rows,
    pub vault: Vault,
    /// Parked doorbells.
    pub retries: Queue,
    /// Intents about visits and accounts.
    pub deliveries: Queue,
    /// Each account's share of `deliveries`.
    pub fair: FairShare,
    /// Erasures of guests and accounts.
    pub erasures: Queue,
    pub limits: Limits,
    /// Signs and checks access tokens.
    pub tokens: Tokens,
    /// Signs and checks all other tokens.
    pub secrets: Secrets,
    pub clock: Clock,
    /// The base of links to guests' pages.
    pub public_url: String,
}

impl Backend {
    /// Builds the backend of a lambda from environment variables.
    ///
    /// # Errors
    /// A setting or a key is missing, or a key cannot be read.
    pub async fn from_env() -> Result<Self, Failure> {
        let (sdk, config) = (aws::config().await, Config::from_env()?);
        check_key_files(&config)?;
        Self::new(&sdk, aws_sdk_dynamodb::Client::new(&sdk), &config, Clock::system())
    }

    /// `dynamodb` is a client of the engine that holds the tables.
    ///
    /// # Errors
    /// A key cannot be read or created.
    pub fn new(
        sdk: &SdkConfig,
        dynamodb: aws_sdk_dynamodb::Client,
        config: &Config,
        clock: Clock,
    ) -> Result<Self, Failure> {
        Self::with_queues(sdk, sdk, dynamodb, config, clock)
    }

    /// Like [`Backend::new`], with other settings for the SQS client.
    ///
    /// # Errors
    /// As [`Backend::new`].
    pub fn with_queues(
        sdk: &SdkConfig,
        queues: &SdkConfig,
        dynamodb: aws_sdk_dynamodb::Client,
        config: &Config,
        clock: Clock,
    ) -> Result<Self, Failure> {
        let directory = config.keys.directory();
        match config.keys {
            Keys::Directory(_) => key_files::make_if_new(directory, &[key_files::MASTER, key_files::CLAIMS]),
            Keys::Kms { .. } => key_files::make_if_new(directory, &[key_files::CLAIMS]),
        }?;
        let master = match &config.keys {
            Keys::Directory(directory) => MasterKey::File(
                FileKey::open(&directory.join(key_files::MASTER))
                    .map_err(|cause| Failure::broken("read the master key", cause))?,
            ),
            Keys::Kms { key, .. } => MasterKey::Kms(KmsKey::new(aws_sdk_kms::Client::new(sdk), key.clone())),
        };
        let secrets = Secrets::load_or_create(directory)?;
        let queue = |at: &QueueAt, name: &'static str, policy| match at {
            QueueAt::Table => {
                let table = table::QUEUE.name(&config.prefix);
                Queue::Table(TableQueue::new(dynamodb.clone(), table, name, policy, clock.clone()))
            }
            QueueAt::Sqs { url, dead_url } => {
                Queue::Sqs(SqsQueue::new(aws_sdk_sqs::Client::new(queues), url.clone(), dead_url.clone()))
            }
        };
        Ok(Self {
            log: Log::new(dynamodb.clone(), &config.prefix, clock.clone()),
            rows: Rows::new(dynamodb.clone(), &config.prefix),
            retries: queue(&config.retries, RETRIES, RETRY_POLICY),
            deliveries: queue(&config.deliveries, DELIVERIES, DELIVERY_POLICY),
            fair: FairShare::new(config.sends_per_second),
            erasures: queue(&config.erasures, ERASURES, ERASURE_POLICY),
            limits: Limits::new(
                dynamodb.clone(),
                &config.prefix,
                secrets.clone(),
                clock.clone(),
                config.bounds,
            ),
            vault: Vault::new(dynamodb, table::VAULT.name(&config.prefix), master, clock.clone()),
            tokens: match &config.token_keys {
                None => Tokens::of_files(config.keys.directory())?,
                Some((current, previous)) => {
                    Tokens::of_kms(aws_sdk_kms::Client::new(sdk), current.clone(), previous.clone())
                }
            },
            secrets,
            clock,
            public_url: config.public_url.clone(),
        })
    }
}
