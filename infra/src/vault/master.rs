//! The key that wraps the accounts' keys: a KMS key in AWS, a file locally.

use std::{
    convert::Infallible,
    io,
    path::{Path, PathBuf},
};

use aws_sdk_kms::{Client, primitives::Blob};
use schema::UserId;

use super::subject::Subject;
use crate::{
    crypto::{Cipher, Secret},
    file,
};

/// Wraps the accounts' keys. Nothing in the vault can be read without it.
pub enum MasterKey {
    File(FileKey),
    Kms(KmsKey),
}

#[derive(Debug, thiserror::Error)]
pub enum MasterError {
    #[error("read or create the master key file {path}")]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// The file is never replaced: with another key every account would be lost.
    #[error("the master key file {path} does not hold exactly 32 bytes")]
    NotAKey { path: PathBuf },
    #[error("call KMS")]
    Kms(#[source] Box<aws_sdk_kms::Error>),
    #[error("the wrapped key was altered, or wrapped by another master key or for another account")]
    Unfit,
}

impl MasterKey {
    pub(super) async fn wrap(&self, account: UserId, key: &Secret) -> Result<Vec<u8>, MasterError> {
        match self {
            Self::File(file) => Ok(file.cipher.seal(&context(account), key.bytes())),
            Self::Kms(kms) => kms.wrap(account, key).await,
        }
    }

    pub(super) async fn unwrap(&self, account: UserId, wrapped: &[u8]) -> Result<Secret, MasterError> {
        let opened = match self {
            Self::File(file) => file.cipher.open(&context(account), wrapped),
            Self::Kms(kms) => Some(kms.unwrap(account, wrapped).await?),
        };
        opened.and_then(Secret::take).ok_or(MasterError::Unfit)
    }
}

/// Names the account to which a wrapped key is bound.
fn context(account: UserId) -> Vec<u8> {
    Subject::Account(account).to_string().into_bytes()
}

/// A master key in a file with mode 0600.
pub struct FileKey {
    cipher: Cipher,
}

impl FileKey {
    /// Reads the key file, or creates it. Processes that start at the same time end up with the same key.
    ///
    /// # Errors
    /// [`MasterError::File`] and [`MasterError::NotAKey`].
    pub fn open_or_create(path: &Path) -> Result<Self, MasterError> {
        let io = |cause| MasterError::File { path: path.to_owned(), cause };
        let bytes =
            file::read_or_create_secret(path, || Ok::<_, Infallible>(Secret::generate().bytes().to_vec()))
                .map_err(io)?;
        let key = Secret::take(bytes).ok_or_else(|| MasterError::NotAKey { path: path.to_owned() })?;
        Ok(Self { cipher: Cipher::new(&key.derive(b"master")) })
    }
}

/// A symmetric key in KMS, used with the account as encryption context, so that CloudTrail shows the account
/// of each call.
pub struct KmsKey {
    client: Client,
    key_id: String,
}

impl KmsKey {
    /// `key_id` is a key's id, ARN or alias.
    #[must_use]
    pub fn new(client: Client, key_id: String) -> Self {
        Self { client, key_id }
    }

    async fn wrap(&self, account: UserId, key: &Secret) -> Result<Vec<u8>, MasterError> {
        let call =
            self.client.encrypt().key_id(&self.key_id).encryption_context("account", account.to_string());
        let answer = call.plaintext(Blob::new(key.bytes().as_slice())).send().await.map_err(kms)?;
        answer.ciphertext_blob.map(Blob::into_inner).ok_or(MasterError::Unfit)
    }

    async fn unwrap(&self, account: UserId, wrapped: &[u8]) -> Result<Vec<u8>, MasterError> {
        let call =
            self.client.decrypt().key_id(&self.key_id).encryption_context("account", account.to_string());
        let answer = call.ciphertext_blob(Blob::new(wrapped)).send().await.map_err(kms)?;
        answer.plaintext.map(Blob::into_inner).ok_or(MasterError::Unfit)
    }
}

fn kms(cause: impl Into<aws_sdk_kms::Error>) -> MasterError {
    MasterError::Kms(Box::new(cause.into()))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn account() -> UserId {
        UserId(uuid::Uuid::from_u128(7))
    }

    #[tokio::test]
    async fn a_key_file_is_created_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let first = MasterKey::File(FileKey::open_or_create(&path).unwrap());
        let again = MasterKey::File(FileKey::open_or_create(&path).unwrap());
        let key = Secret::generate();
        let wrapped = first.wrap(account(), &key).await.unwrap();
        assert_eq!(again.unwrap(account(), &wrapped).await.unwrap().bytes(), key.bytes());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn processes_that_start_at_the_same_time_use_one_key_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let files: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let open = || {
                FileKey::open_or_create(&path).unwrap();
                fs::read(&path).unwrap()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(files.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn a_file_without_a_key_is_refused_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        fs::write(&path, "something else").unwrap();
        assert!(matches!(FileKey::open_or_create(&path), Err(MasterError::NotAKey { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"something else");
    }

    #[tokio::test]
    async fn a_wrapped_key_opens_only_for_its_account_and_with_its_master_key() {
        let folder = tempfile::tempdir().unwrap();
        let master =
            |name: &str| MasterKey::File(FileKey::open_or_create(&folder.path().join(name)).unwrap());
        let (one, other) = (master("one"), master("other"));
        let wrapped = one.wrap(account(), &Secret::generate()).await.unwrap();
        assert!(one.unwrap(account(), &wrapped).await.is_ok());
        assert!(matches!(other.unwrap(account(), &wrapped).await, Err(MasterError::Unfit)));
        assert!(matches!(one.unwrap(UserId(uuid::Uuid::nil()), &wrapped).await, Err(MasterError::Unfit)));
    }
}
