//! Personal data's keys: one per account and one per guest, so that forgetting someone is forgetting a key.
//!
//! The master key wraps an account's key, the account's key wraps its guests'. KMS is therefore asked once per account, not
//! once per guest, and an account's tombstone forgets all its guests at once. Events and rows hold sealed values only; no
//! row, backup or copy of a stream needs rewriting when somebody is forgotten.
//!
//! Items are read strongly: one read unit each, once a minute at most. A key is created by one conditional put.

mod cache;
mod cipher;
mod claims;
mod items;
mod keys;
mod master;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use aws_sdk_dynamodb::{Client, error::BuildError};
use schema::{UserId, WaiteeId};

use self::{
    cache::{Cache, Known},
    items::{Item, Put},
};
use crate::{clock::Clock, fault, log::Beside};

pub(crate) use self::cipher::{Secret, framed};
pub use self::{
    keys::SubjectKey,
    master::{FileKey, KmsKey, MasterError, MasterKey},
};

/// Whose key: the person or account whose being forgotten makes it go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An account, with everything of its own and, through them, all its guests' keys.
    Account(UserId),
    /// A guest on one visit.
    Guest {
        /// The account on whose list they wait.
        account: UserId,
        /// The visit.
        guest: WaiteeId,
    },
}

impl Subject {
    /// The subject whose key wraps this one's; an account's is wrapped by the master key.
    fn parent(self) -> Option<Self> {
        match self {
            Self::Account(_) => None,
            Self::Guest { account, .. } => Some(Self::Account(account)),
        }
    }
}

/// The name of the subject's item.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "account-{account}"),
            Self::Guest { guest, .. } => write!(f, "guest-{guest}"),
        }
    }
}

/// Why the vault gives no key.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The table did not answer a read.
    #[error("vault: read {what}")]
    Read {
        /// The first few of those asked for.
        what: String,
        /// What the table says.
        #[source]
        cause: Box<aws_sdk_dynamodb::Error>,
    },
    /// The table left keys unread, attempt after attempt.
    #[error("vault: {left} keys left unread after {attempts} attempts")]
    Unprocessed {
        /// How many.
        left: usize,
        /// How often it was tried.
        attempts: u32,
    },
    /// The table did not take a new key.
    #[error("vault: put {subject}")]
    Put {
        /// Whose.
        subject: Subject,
        /// What the table says.
        #[source]
        cause: Box<aws_sdk_dynamodb::Error>,
    },
    /// The table did not take a tombstone.
    #[error("vault: bury {subject}")]
    Bury {
        /// Whose.
        subject: Subject,
        /// What the table says.
        #[source]
        cause: Box<aws_sdk_dynamodb::Error>,
    },
    /// The table did not let go of a claim on an e-mail address.
    #[error("vault: release a claim")]
    Release {
        /// What the table says.
        #[source]
        cause: Box<aws_sdk_dynamodb::Error>,
    },
    /// A claim on an e-mail address names no account.
    #[error("vault: a claim is malformed")]
    Claim,
    /// A put could not be described.
    #[error("vault: describe a put")]
    Describe(#[source] Box<BuildError>),
    /// The master key did not wrap or unwrap.
    #[error("vault: master key for {subject}")]
    Master {
        /// Whose key.
        subject: Subject,
        /// Why.
        #[source]
        cause: MasterError,
    },
    /// A guest's wrapped key was altered, or is another account's.
    #[error("vault: the key of {subject} does not fit its account's")]
    Unfit {
        /// Whose.
        subject: Subject,
    },
    /// The item is neither a key nor a tombstone.
    #[error("vault: the item of {subject} is malformed")]
    Malformed {
        /// Whose.
        subject: Subject,
    },
    /// The account never had a key, so there is nothing to wrap its guest's with.
    #[error("vault: {subject} has no key")]
    Gone {
        /// The account.
        subject: Subject,
    },
    /// The subject, or its account, was forgotten; it never gets a key again.
    #[error("vault: {subject} was erased")]
    Erased {
        /// Who.
        subject: Subject,
    },
}

/// Where keys are made and read. Clones share one cache.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    client: Client,
    table: String,
    master: MasterKey,
    cache: Cache,
    clock: Clock,
}

impl Vault {
    /// The vault in this table.
    #[must_use]
    pub fn new(client: Client, table: String, master: MasterKey, clock: Clock) -> Self {
        let cache = Cache::new(clock.now());
        Self(Arc::new(Inner { client, table, master, cache, clock }))
    }

    /// The subject's key, made now when it has none; whoever makes it at the same time gets the same one.
    ///
    /// Costs one write unit; for a guest, one read unit besides when the account's key was not at hand. An account erased
    /// less than a minute ago may still get a guest here, whose key is as unreadable as the others' once the minute is over.
    ///
    /// # Errors
    /// The subject or its account was erased, a guest's account has no key, or the table or master key did not answer.
    pub async fn create(&self, subject: Subject) -> Result<SubjectKey, VaultError> {
        let Inner { client, table, cache, clock, .. } = &*self.0;
        let parent = self.parent_of(subject).await?;
        let now = clock.now();
        let secret = Secret::generate();
        let wrapped = self.wrap(subject, parent.as_ref(), &secret).await?;
        let put = items::put(client, table, subject, wrapped).await?;
        fault::point("vault.key-put");
        let key = match put {
            Put::Done => SubjectKey::new(subject, &secret),
            Put::Found(Item::Wrapped(winner)) => self.unwrap(subject, parent.as_ref(), &winner).await?,
            Put::Found(Item::Erased) => return Err(VaultError::Erased { subject }),
        };
        cache.put(subject, Known { key: key.clone(), read_at: oldest(now, parent.as_ref()) }, now);
        Ok(key)
    }

    /// A key for an account that is about to be, and the put that keeps it: for the transaction that makes the account true.
    ///
    /// # Errors
    /// The master key did not answer.
    pub async fn prepare(&self, account: UserId) -> Result<(SubjectKey, Beside), VaultError> {
        let subject = Subject::Account(account);
        let secret = Secret::generate();
        let wrapped = self.wrap(subject, None, &secret).await?;
        let put = items::first(&self.0.table, subject, wrapped).map_err(describe)?;
        Ok((SubjectKey::new(subject, &secret), Beside(put)))
    }

    /// The put that claims an e-mail address for an account, under the hash of the address, if nobody has claimed it.
    ///
    /// # Errors
    /// The put cannot be described.
    pub fn claim(&self, claim: &str, user: UserId) -> Result<Beside, VaultError> {
        claims::put(&self.0.table, claim, user).map(Beside).map_err(describe)
    }

    /// Whose an e-mail address is, by its hash: one read unit.
    ///
    /// # Errors
    /// The table did not answer, or what it holds is damaged.
    pub async fn holder(&self, claim: &str) -> Result<Option<UserId>, VaultError> {
        claims::holder(&self.0.client, &self.0.table, claim).await
    }

    /// Gives up an account's claim on an e-mail address; somebody else's stays. One write unit.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn release(&self, claim: &str, user: UserId) -> Result<(), VaultError> {
        claims::release(&self.0.client, &self.0.table, claim, user).await
    }

    /// Puts a tombstone in the place of a subject's key, whether there was one or not: it never comes back. One write unit.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn bury(&self, subject: Subject) -> Result<(), VaultError> {
        items::bury(&self.0.client, &self.0.table, subject).await?;
        self.0.cache.forget(subject);
        Ok(())
    }

    /// The subject's key; `None` when it never had one or was erased, itself or with its account.
    ///
    /// Costs one read unit for each of subject and account whose key is not at hand.
    ///
    /// # Errors
    /// The table or master key did not answer, or what it holds is damaged.
    pub async fn key(&self, subject: Subject) -> Result<Option<SubjectKey>, VaultError> {
        Ok(self.keys(&[subject]).await?.remove(&subject))
    }

    /// The keys there are of these subjects, as `key` gives them: a hundred to a call.
    ///
    /// # Errors
    /// The table or master key did not answer, or what it holds is damaged.
    pub async fn keys(&self, subjects: &[Subject]) -> Result<HashMap<Subject, SubjectKey>, VaultError> {
        let wanted: HashSet<Subject> = subjects.iter().copied().collect();
        let (known, _) = self.know(&wanted).await?;
        Ok(known
            .into_iter()
            .filter(|(subject, _)| wanted.contains(subject))
            .map(|(subject, known)| (subject, known.key))
            .collect())
    }

    /// The account's key, when the subject is a guest.
    async fn parent_of(&self, subject: Subject) -> Result<Option<Known>, VaultError> {
        let Some(account) = subject.parent() else { return Ok(None) };
        let (mut known, erased) = self.know(&HashSet::from([account])).await?;
        match known.remove(&account) {
            Some(known) => Ok(Some(known)),
            None if erased.contains(&account) => Err(VaultError::Erased { subject: account }),
            None => Err(VaultError::Gone { subject: account }),
        }
    }

    /// Keys at hand or read now, of these subjects and the accounts they need; and which of them are tombstones.
    async fn know(
        &self,
        wanted: &HashSet<Subject>,
    ) -> Result<(HashMap<Subject, Known>, HashSet<Subject>), VaultError> {
        let Inner { client, table, cache, clock, .. } = &*self.0;
        let now = clock.now(); // before reading, so that a key's age is never understated
        let mut known: HashMap<Subject, Known> =
            wanted.iter().filter_map(|&subject| Some((subject, cache.get(subject, now)?))).collect();
        let mut missing: HashSet<Subject> =
            wanted.iter().copied().filter(|subject| !known.contains_key(subject)).collect();
        for account in missing.iter().filter_map(|subject| subject.parent()).collect::<HashSet<_>>() {
            match cache.get(account, now) {
                Some(at_hand) => drop(known.insert(account, at_hand)),
                None => drop(missing.insert(account)),
            }
        }
        let mut items: Vec<(Subject, Item)> =
            items::read(client, table, &missing).await?.into_iter().collect();
        items.sort_unstable_by_key(|(subject, _)| *subject); // accounts come first: their guests' keys need them
        let mut erased = HashSet::new();
        for (subject, item) in items {
            let parent = subject.parent().map(|account| known.get(&account));
            match (item, parent) {
                (Item::Erased, _) => drop(erased.insert(subject)),
                (Item::Wrapped(_), Some(None)) => {} // forgotten with its account
                (Item::Wrapped(wrapped), parent) => {
                    let parent = parent.flatten().cloned();
                    let key = self.unwrap(subject, parent.as_ref(), &wrapped).await?;
                    let read = Known { key, read_at: oldest(now, parent.as_ref()) };
                    cache.put(subject, read.clone(), now);
                    known.insert(subject, read);
                }
            }
        }
        Ok((known, erased))
    }

    async fn wrap(
        &self,
        subject: Subject,
        parent: Option<&Known>,
        secret: &Secret,
    ) -> Result<Vec<u8>, VaultError> {
        match (subject, parent) {
            (Subject::Account(account), _) => self
                .0
                .master
                .wrap(account, secret)
                .await
                .map_err(|cause| VaultError::Master { subject, cause }),
            (Subject::Guest { .. }, Some(parent)) => Ok(parent.key.wrap(subject, secret)),
            (Subject::Guest { account, .. }, None) => {
                Err(VaultError::Gone { subject: Subject::Account(account) })
            }
        }
    }

    async fn unwrap(
        &self,
        subject: Subject,
        parent: Option<&Known>,
        wrapped: &[u8],
    ) -> Result<SubjectKey, VaultError> {
        let secret = match (subject, parent) {
            (Subject::Account(account), _) => self
                .0
                .master
                .unwrap(account, wrapped)
                .await
                .map_err(|cause| VaultError::Master { subject, cause })?,
            (Subject::Guest { .. }, Some(parent)) => {
                parent.key.unwrap(subject, wrapped).ok_or(VaultError::Unfit { subject })?
            }
            (Subject::Guest { account, .. }, None) => {
                return Err(VaultError::Gone { subject: Subject::Account(account) });
            }
        };
        Ok(SubjectKey::new(subject, &secret))
    }
}

/// A guest's key is no younger than its account's, or an erased account's guests would stay readable for two minutes.
fn oldest(now: schema::Time, parent: Option<&Known>) -> schema::Time {
    parent.map_or(now, |parent| parent.read_at.min(now))
}

fn describe(cause: BuildError) -> VaultError {
    VaultError::Describe(Box::new(cause))
}

fn aws(cause: impl Into<aws_sdk_dynamodb::Error>) -> Box<aws_sdk_dynamodb::Error> {
    Box::new(cause.into())
}
