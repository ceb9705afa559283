//! The keys of personal data: one per account and one per guest. Erasing an account or guest means destroying
//! its key.
//!
//! The master key wraps an account's key, and the account's key wraps its guests' keys. KMS is therefore
//! called once per account, not once per guest, and an account's tombstone makes all its guests unreadable at
//! once. Events and rows hold only sealed values, so an erasure rewrites no row, backup or copy of a stream.
//!
//! Items are read strongly consistently, at one read unit each, at most once a minute. A key is created by
//! one conditional put.

mod burial;
mod cache;
mod check;
mod claims;
mod error;
mod items;
mod keys;
mod master;
mod subject;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use aws_sdk_dynamodb::Client;
use schema::UserId;

use self::{
    cache::{Cache, CachedKey},
    error::describe,
    items::{Item, PutOutcome},
};
use crate::{
    clock::{Clock, Moment},
    crypto::Secret,
    fault,
    log::ExtraPut,
};

pub use self::{
    error::VaultError,
    keys::SubjectKey,
    master::{FileKey, KmsKey, MasterError, MasterKey},
    subject::Subject,
};

/// The vault's item of a subject.
#[derive(Clone)]
pub enum Held {
    Key(SubjectKey),
    /// The subject was erased.
    Tombstone,
    Nothing,
}

/// Creates, reads and destroys keys. Clones share one cache.
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
    #[must_use]
    pub fn new(client: Client, table: String, master: MasterKey, clock: Clock) -> Self {
        let cache = Cache::new(clock.moment());
        Self(Arc::new(Inner { client, table, master, cache, clock }))
    }

    /// Returns the subject's key, creating it if there is none. Concurrent callers get the same key.
    ///
    /// Costs one write unit, and for a guest one read unit if the account's key is not cached. With a cached
    /// key, a guest of an account erased less than a minute ago still gets a key; it becomes unreadable with
    /// the account's others.
    ///
    /// # Errors
    /// The subject or its account was erased, a guest's account has no key, or the table or master key did
    /// not answer.
    pub async fn create(&self, subject: Subject) -> Result<SubjectKey, VaultError> {
        let Inner { client, table, cache, clock, .. } = &*self.0;
        let parent = self.parent_of(subject).await?;
        let now = clock.moment();
        let secret = Secret::generate();
        let wrapped = self.wrap(subject, parent.as_ref(), &secret).await?;
        let put = items::put(client, table, subject, wrapped).await?;
        fault::point("vault.key-put");
        let key = match put {
            PutOutcome::Stored => SubjectKey::new(subject, &secret),
            PutOutcome::Found(Item::Wrapped(winner)) => {
                self.unwrap(subject, parent.as_ref(), &winner).await?
            }
            PutOutcome::Found(Item::Erased) => return Err(VaultError::Erased { subject }),
        };
        cache.put(subject, CachedKey { key: key.clone(), read_at: oldest(now, parent.as_ref()) }, now);
        Ok(key)
    }

    /// Makes a key for a new account, and the put that stores it in the transaction that registers the
    /// account.
    ///
    /// # Errors
    /// The master key did not answer.
    pub async fn prepare(&self, account: UserId) -> Result<(SubjectKey, ExtraPut), VaultError> {
        let subject = Subject::Account(account);
        let secret = Secret::generate();
        let wrapped = self.wrap(subject, None, &secret).await?;
        let put = items::first_put(&self.0.table, subject, wrapped).map_err(describe)?;
        Ok((SubjectKey::new(subject, &secret), ExtraPut(put)))
    }

    /// Builds the put that claims an e-mail address, given as its keyed hash, for an account. It fails if the
    /// address is taken.
    ///
    /// # Errors
    /// The put cannot be built.
    pub fn claim(&self, claim: &str, user: UserId) -> Result<ExtraPut, VaultError> {
        claims::put(&self.0.table, claim, user).map(ExtraPut).map_err(describe)
    }

    /// Returns the account that holds a claim on an e-mail address. Costs one read unit.
    ///
    /// # Errors
    /// The table did not answer, or the item is damaged.
    pub async fn holder(&self, claim: &str) -> Result<Option<UserId>, VaultError> {
        claims::holder(&self.0.client, &self.0.table, claim).await
    }

    /// Releases an account's claim on an e-mail address, unless another account holds it by now. Costs one
    /// write unit.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn release(&self, claim: &str, user: UserId) -> Result<(), VaultError> {
        claims::release(&self.0.client, &self.0.table, claim, user).await
    }

    /// Refuses a claims key, given as its check value, other than the first. Costs half a read unit, and the first time a
    /// write unit.
    pub async fn check_claims(&self, value: &str) -> Result<(), VaultError> {
        check::compare(&self.0.client, &self.0.table, value).await
    }

    /// Returns the subject's key, or `None` when it never had one, or it or its account was erased.
    ///
    /// Costs one read unit for each of subject and account whose key is not cached.
    ///
    /// # Errors
    /// The table or master key did not answer, or an item is damaged.
    pub async fn key(&self, subject: Subject) -> Result<Option<SubjectKey>, VaultError> {
        Ok(self.keys(&[subject]).await?.remove(&subject))
    }

    /// Returns the vault's item of a subject: an erased subject has a tombstone, unlike one that never had a
    /// key. Costs as [`Vault::key`].
    ///
    /// # Errors
    /// As [`Vault::key`].
    pub async fn held(&self, subject: Subject) -> Result<Held, VaultError> {
        let Loaded { mut keys, erased } = self.load(&HashSet::from([subject])).await?;
        Ok(match keys.remove(&subject) {
            Some(cached) => Held::Key(cached.key),
            None if erased.contains(&subject) => Held::Tombstone,
            None => Held::Nothing,
        })
    }

    /// Returns the keys of those subjects that have one, as [`Vault::key`] does. Reads up to a hundred keys
    /// per call.
    ///
    /// # Errors
    /// The table or master key did not answer, or an item is damaged.
    pub async fn keys(&self, subjects: &[Subject]) -> Result<HashMap<Subject, SubjectKey>, VaultError> {
        let wanted: HashSet<Subject> = subjects.iter().copied().collect();
        let Loaded { keys, .. } = self.load(&wanted).await?;
        Ok(keys
            .into_iter()
            .filter(|(subject, _)| wanted.contains(subject))
            .map(|(subject, cached)| (subject, cached.key))
            .collect())
    }

    /// Returns the account's key if the subject is a guest.
    async fn parent_of(&self, subject: Subject) -> Result<Option<CachedKey>, VaultError> {
        let Some(account) = subject.parent() else { return Ok(None) };
        let mut loaded = self.load(&HashSet::from([account])).await?;
        match loaded.keys.remove(&account) {
            Some(key) => Ok(Some(key)),
            None if loaded.erased.contains(&account) => Err(VaultError::Erased { subject: account }),
            None => Err(VaultError::Gone { subject: account }),
        }
    }

    /// Loads the keys of these subjects, and of the accounts that wrap them, from the cache or the table.
    async fn load(&self, wanted: &HashSet<Subject>) -> Result<Loaded, VaultError> {
        let Inner { client, table, cache, clock, .. } = &*self.0;
        let now = clock.moment(); // before reading, so that a key's age is never understated
        let mut keys: HashMap<Subject, CachedKey> =
            wanted.iter().filter_map(|&subject| Some((subject, cache.get(subject, now)?))).collect();
        let mut missing: HashSet<Subject> =
            wanted.iter().copied().filter(|subject| !keys.contains_key(subject)).collect();
        for account in missing.iter().filter_map(|subject| subject.parent()).collect::<HashSet<_>>() {
            match cache.get(account, now) {
                Some(cached) => drop(keys.insert(account, cached)),
                None => drop(missing.insert(account)),
            }
        }
        let mut items: Vec<(Subject, Item)> =
            items::read(client, table, &missing).await?.into_iter().collect();
        items.sort_unstable_by_key(|(subject, _)| *subject); // accounts come first: their guests' keys need them
        let mut erased = HashSet::new();
        for (subject, item) in items {
            let parent = subject.parent().map(|account| keys.get(&account));
            match (item, parent) {
                (Item::Erased, _) => drop(erased.insert(subject)),
                (Item::Wrapped(_), Some(None)) => {} // erased with its account
                (Item::Wrapped(wrapped), parent) => {
                    let parent = parent.flatten().cloned();
                    let key = self.unwrap(subject, parent.as_ref(), &wrapped).await?;
                    let read = CachedKey { key, read_at: oldest(now, parent.as_ref()) };
                    cache.put(subject, read.clone(), now);
                    keys.insert(subject, read);
                }
            }
        }
        Ok(Loaded { keys, erased })
    }

    async fn wrap(
        &self,
        subject: Subject,
        parent: Option<&CachedKey>,
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
        parent: Option<&CachedKey>,
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

/// The keys that were loaded, and the subjects whose items are tombstones.
struct Loaded {
    keys: HashMap<Subject, CachedKey>,
    erased: HashSet<Subject>,
}

/// Returns the `read_at` of a key read now. A guest's key counts as old as its account's, or an erased
/// account's guests would stay readable for two minutes.
fn oldest(now: Moment, parent: Option<&CachedKey>) -> Moment {
    parent.map_or(now, |parent| parent.read_at)
}
