//! Everything a handler works with, put together once per process.

use std::time::Duration;

use aws_config::SdkConfig;
use schema::table;

use crate::{
    aws,
    clock::Clock,
    config::{Config, Keys, QueueAt},
    failure::Failure,
    limits::Limits,
    log::Log,
    queue::{Policy, Queue, SqsQueue, TableQueue},
    rows::Rows,
    secret::{self, Secrets},
    token::{self, Tokens},
    vault::{FileKey, KmsKey, MasterKey, Vault},
};

/// The name of the master key in a key directory.
const MASTER_KEY: &str = "master";

/// The names of the queues: of parked doorbells, of what is to be done about visits and accounts, and of who is to be forgotten.
const RETRIES: &str = "retries";
const DELIVERIES: &str = "deliveries";
const ERASURES: &str = "erasures";

/// A parked doorbell is tried every half minute, five times, before a person has to look at it.
const RETRY_POLICY: Policy = Policy { visibility: Duration::from_secs(30), attempts_max: 5 };

/// A send may take a while, and its outcome is recorded whatever that takes: nobody else is given the message meanwhile.
const DELIVERY_POLICY: Policy = Policy { visibility: Duration::from_secs(90), attempts_max: 10 };

/// Forgetting takes moments. What fails comes again after a minute, for most of an hour, before a person has to look at it.
const ERASURE_POLICY: Policy = Policy { visibility: Duration::from_secs(60), attempts_max: 50 };

/// Lambdas share their key files. One that made a missing file for itself would sign and claim what no other understands.
fn expect_keys(config: &Config) -> Result<(), Failure> {
    let master = matches!(config.keys, Keys::Directory(_)).then_some(MASTER_KEY);
    let token = config.token_keys.is_none().then_some(token::LOCAL_KEY);
    for name in [Some(secret::CURRENT), Some(secret::CLAIMS), master, token].into_iter().flatten() {
        let path = config.keys.directory().join(name);
        if !path.is_file() {
            let advice = "it is not there; a local server makes such files when it starts, and all lambdas need the same";
            return Err(Failure::broken(format!("read the key {}", path.display()), advice));
        }
    }
    Ok(())
}

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
    /// What is to be done about visits and accounts.
    pub deliveries: Queue,
    /// Who is to be forgotten.
    pub erasures: Queue,
    /// Counts tries.
    pub limits: Limits,
    /// The keys of access tokens.
    pub tokens: Tokens,
    /// What other tokens hang on.
    pub secrets: Secrets,
    /// The time.
    pub clock: Clock,
    /// Where guests' pages are.
    pub public_url: String,
}

impl Backend {
    /// From the environment, as a lambda starts.
    ///
    /// # Errors
    /// A setting or a key is missing, or a key cannot be read.
    pub async fn from_env() -> Result<Self, Failure> {
        let (sdk, config) = (aws::config().await, Config::from_env()?);
        expect_keys(&config)?;
        Self::new(&sdk, aws_sdk_dynamodb::Client::new(&sdk), &config, Clock::system())
    }

    /// From settings, and a client of the engine that the tables are in.
    ///
    /// # Errors
    /// A key cannot be had.
    pub fn new(
        sdk: &SdkConfig,
        dynamodb: aws_sdk_dynamodb::Client,
        config: &Config,
        clock: Clock,
    ) -> Result<Self, Failure> {
        Self::with_queues(sdk, sdk, dynamodb, config, clock)
    }

    /// The same, with queues of SQS that are elsewhere.
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
        let master = match &config.keys {
            Keys::Directory(directory) => MasterKey::File(
                FileKey::open_or_create(&directory.join(MASTER_KEY))
                    .map_err(|cause| Failure::broken("read the master key", cause))?,
            ),
            Keys::Kms { key, .. } => MasterKey::Kms(KmsKey::new(aws_sdk_kms::Client::new(sdk), key.clone())),
        };
        let secrets = Secrets::load_or_create(config.keys.directory())?;
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
