//! Everything a handler works with, put together once per process.

use std::time::Duration;

use aws_config::SdkConfig;
use schema::table;

use crate::{
    aws,
    clock::Clock,
    config::{Config, Keys, Retries},
    failure::Failure,
    log::Log,
    queue::{Policy, Queue, SqsQueue, TableQueue},
    rows::Rows,
    token::TokenKey,
    vault::{FileKey, KmsKey, MasterKey, Vault},
};

/// The name of the master key in a key directory.
const MASTER_KEY: &str = "master";

/// The name of the queue of parked doorbells.
const RETRIES: &str = "retries";

/// A parked doorbell is tried every half minute, five times, before a person has to look at it.
const RETRY_POLICY: Policy = Policy { visibility: Duration::from_secs(30), attempts_max: 5 };

/// The adapters of one deployment. Clones share connections and caches.
#[derive(Clone)]
pub struct Backend {
    /// The event log.
    pub log: Log,
    /// Rows of read models.
    pub rows: Rows,
    /// Keys of subjects.
    pub vault: Vault,
    /// Where doorbells are parked that could not be applied.
    pub retries: Queue,
    /// The key of access tokens.
    pub tokens: TokenKey,
    /// The time.
    pub clock: Clock,
    /// Where guests' pages are.
    pub public_url: String,
}

impl Backend {
    /// From the environment, as a lambda starts.
    ///
    /// # Errors
    /// A setting is missing, or a key cannot be had.
    pub async fn from_env() -> Result<Self, Failure> {
        let sdk = aws::config().await;
        Self::new(&sdk, aws_sdk_dynamodb::Client::new(&sdk), &Config::from_env()?, Clock::system())
    }

    /// From settings, and a client of the engine that the tables are in.
    ///
    /// # Errors
    /// A key cannot be had.
    pub fn new(sdk: &SdkConfig, dynamodb: aws_sdk_dynamodb::Client, config: &Config, clock: Clock) -> Result<Self, Failure> {
        let master = match &config.keys {
            Keys::Directory(directory) => MasterKey::File(
                FileKey::open_or_create(&directory.join(MASTER_KEY)).map_err(|cause| Failure::broken("read the master key", cause))?,
            ),
            Keys::Kms { key, .. } => MasterKey::Kms(KmsKey::new(aws_sdk_kms::Client::new(sdk), key.clone())),
        };
        Ok(Self {
            log: Log::new(dynamodb.clone(), &config.prefix, clock.clone()),
            rows: Rows::new(dynamodb.clone(), &config.prefix),
            retries: match &config.retries {
                Retries::Table => {
                    let table = table::QUEUE.name(&config.prefix);
                    Queue::Table(TableQueue::new(dynamodb.clone(), table, RETRIES, RETRY_POLICY, clock.clone()))
                }
                Retries::Sqs { url, dead_url } => Queue::Sqs(SqsQueue::new(aws_sdk_sqs::Client::new(sdk), url.clone(), dead_url.clone())),
            },
            vault: Vault::new(dynamodb, table::VAULT.name(&config.prefix), master, clock.clone()),
            tokens: TokenKey::load_or_create(config.keys.directory())?,
            clock,
            public_url: config.public_url.clone(),
        })
    }
}
