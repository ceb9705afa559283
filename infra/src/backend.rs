//! The adapters that handlers use, built once per process.

use aws_config::SdkConfig;
use schema::{body::guest::PublicWaitlist, table};

use crate::{
    aws,
    cache::Cache,
    clock::Clock,
    config::{Config, KeyAt, QueueAt},
    failure::Failure,
    function::{self, Need, QueueOf},
    generations::Generations,
    key_files,
    limits::Limits,
    log::Log,
    queue::{FairShare, Queue, SqsQueue, TableQueue},
    rows::Rows,
    secret::{self, Claims, Links, Secrets},
    token::{self, Tokens},
    vault::{FileKey, KmsKey, MasterKey, Vault},
};

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
    /// Steps of rebuilds.
    pub rebuilds: Queue,
    /// Sweeps under way.
    pub sweeps: Queue,
    /// Pointers to stream records that were given up.
    pub stream_failures: Queue,
    pub limits: Limits,
    /// Signs and checks access tokens.
    pub tokens: Tokens,
    /// Signs and checks all other tokens.
    pub secrets: Secrets,
    /// Hashes e-mail addresses and credentials.
    pub claims: Claims,
    /// Lists as guests see them.
    pub public_lists: Cache<PublicWaitlist>,
    pub clock: Clock,
    /// The base of links to guests' pages.
    pub public_url: String,
}

impl Backend {
    /// Builds the adapters that these needs ask for from environment variables.
    ///
    /// # Errors
    /// A setting or a key is missing, a key cannot be read, or the claims key is not the deployment's.
    pub async fn from_env(needs: &[Need]) -> Result<Self, Failure> {
        let (sdk, config) = (aws::config().await, Config::from_env(needs)?);
        check_key_files(&config)?;
        let claims = match &config.claims {
            Some(KeyAt::Aws(id)) => {
                Claims::of_manager(&aws_sdk_secretsmanager::Client::new(&sdk), id).await?
            }
            at => claims_of_files(at.as_ref())?,
        };
        let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
        let backend = Self::build(&sdk, &sdk, dynamodb, &config, Clock::system(), claims)?;
        if needs.contains(&Need::Claims) {
            backend.check_claims().await?;
        }
        Ok(backend)
    }

    /// Refuses a claims key that stored e-mail claims were not made with. Costs half a read unit, and the first time a write
    /// unit.
    ///
    /// # Errors
    /// The key is another one, or the vault does not answer.
    pub async fn check_claims(&self) -> Result<(), Failure> {
        Ok(self.vault.check_claims(&self.claims.check_value()?).await?)
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
        if let Some(KeyAt::Files(directory)) = &config.claims {
            key_files::make_if_new(directory, &[key_files::MASTER, key_files::CLAIMS])?;
        }
        let claims = claims_of_files(config.claims.as_ref())?;
        Self::build(sdk, queues, dynamodb, config, clock, claims)
    }

    fn build(
        sdk: &SdkConfig,
        queues: &SdkConfig,
        dynamodb: aws_sdk_dynamodb::Client,
        config: &Config,
        clock: Clock,
        claims: Claims,
    ) -> Result<Self, Failure> {
        let master = match &config.master {
            None => MasterKey::Unused,
            Some(KeyAt::Files(directory)) => MasterKey::File(
                FileKey::open(&directory.join(key_files::MASTER))
                    .map_err(|cause| Failure::broken("read the master key", cause))?,
            ),
            Some(KeyAt::Aws(key)) => MasterKey::Kms(KmsKey::new(aws_sdk_kms::Client::new(sdk), key.clone())),
        };
        let secrets = match &config.links {
            None => Secrets::unused(),
            Some(KeyAt::Files(directory)) => Secrets::of_files(Links::load_or_create(directory)?),
            Some(KeyAt::Aws(id)) => {
                let client = aws_sdk_secretsmanager::Client::new(sdk);
                Secrets::of_manager(client, id.clone(), clock.clone())
            }
        };
        let queue = |at: &Option<QueueAt>, of: &QueueOf| match at {
            None => Queue::Unused(of.name),
            Some(QueueAt::Table) => {
                let table = table::QUEUE.name(&config.prefix);
                Queue::Table(TableQueue::new(dynamodb.clone(), table, of.name, of.policy, clock.clone()))
            }
            Some(QueueAt::Sqs { url, dead_url }) => {
                Queue::Sqs(SqsQueue::new(aws_sdk_sqs::Client::new(queues), url.clone(), dead_url.clone()))
            }
        };
        let log = Log::new(dynamodb.clone(), &config.prefix, clock.clone());
        let generations = Generations::new(log.clone(), config.set_age_max);
        Ok(Self {
            log,
            rows: Rows::new(dynamodb.clone(), &config.prefix, generations),
            retries: queue(&config.retries, &function::RETRIES),
            deliveries: queue(&config.deliveries, &function::DELIVERIES),
            fair: FairShare::new(config.sends_per_second),
            erasures: queue(&config.erasures, &function::ERASURES),
            rebuilds: queue(&config.rebuilds, &function::REBUILDS),
            sweeps: queue(&config.sweeps, &function::SWEEPS),
            stream_failures: queue(&config.stream_failures, &function::STREAM_FAILURES),
            limits: Limits::new(
                dynamodb.clone(),
                &config.prefix,
                secrets.clone(),
                clock.clone(),
                config.bounds,
            ),
            vault: Vault::new(dynamodb, table::VAULT.name(&config.prefix), master, clock.clone()),
            tokens: match &config.token_key {
                None => Tokens::unused(),
                Some(KeyAt::Files(directory)) => Tokens::of_files(directory)?,
                Some(KeyAt::Aws(current)) => {
                    let previous = config.token_key_previous.clone();
                    Tokens::of_kms(aws_sdk_kms::Client::new(sdk), current.clone(), previous)
                }
            },
            secrets,
            claims,
            public_lists: Cache::default(),
            clock,
            public_url: config.public_url.clone().unwrap_or_default(),
        })
    }
}

fn claims_of_files(at: Option<&KeyAt>) -> Result<Claims, Failure> {
    match at {
        None => Ok(Claims::unused()),
        Some(KeyAt::Files(directory)) => Claims::load(directory),
        Some(KeyAt::Aws(_)) => {
            Err(Failure::broken("read the claims key", "only a lambda reads it from Secrets Manager"))
        }
    }
}

/// Fails if a key file is missing. Lambdas share their key files; a file created by one lambda would be
/// unknown to the others.
fn check_key_files(config: &Config) -> Result<(), Failure> {
    for (key, name) in [
        (&config.links, secret::CURRENT),
        (&config.claims, key_files::CLAIMS),
        (&config.master, key_files::MASTER),
        (&config.token_key, token::LOCAL_KEY),
    ] {
        let Some(KeyAt::Files(directory)) = key else { continue };
        let path = directory.join(name);
        if !path.is_file() {
            let advice = "the file does not exist; a local server creates it at its start, and all lambdas must use the same file";
            return Err(Failure::broken(format!("read the key {}", path.display()), advice));
        }
    }
    Ok(())
}
