//! The key that wraps the accounts' keys: a KMS key in AWS, a file locally.

use std::{
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
    /// Of a function that opens no personal data.
    Unused,
    File(FileKey),
    Kms(KmsKey),
}

#[derive(Debug, thiserror::Error)]
pub enum MasterError {
    #[error("read the master key file {path}")]
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
    #[error("the process did not load the master key; see Need::MasterKey")]
    Unused,
    #[error("the wrapped key was altered, or wrapped by another master key or for another account")]
    Unfit,
}

impl MasterKey {
    pub(super) async fn wrap(&self, account: UserId, key: &Secret) -> Result<Vec<u8>, MasterError> {
        match self {
            Self::Unused => Err(MasterError::Unused),
            Self::File(file) => Ok(file.cipher.seal(&context(account), key.bytes())),
            Self::Kms(kms) => kms.wrap(account, key).await,
        }
    }

    pub(super) async fn unwrap(&self, account: UserId, wrapped: &[u8]) -> Result<Secret, MasterError> {
        let opened = match self {
            Self::Unused => return Err(MasterError::Unused),
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
    /// Reads the key file.
    ///
    /// # Errors
    /// [`MasterError::File`], also when others than its owner may read the file, and [`MasterError::NotAKey`].
    pub fn open(path: &Path) -> Result<Self, MasterError> {
        let io = |cause| MasterError::File { path: path.to_owned(), cause };
        let bytes = file::read_secret(path).map_err(io)?;
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

    fn key_file(path: &Path) -> Result<FileKey, MasterError> {
        fs::write(path, Secret::generate().bytes()).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        FileKey::open(path)
    }

    #[test]
    fn a_file_without_a_key_is_refused_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        key_file(&path).unwrap();
        fs::write(&path, "something else").unwrap();
        assert!(matches!(FileKey::open(&path), Err(MasterError::NotAKey { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"something else");
    }

    #[tokio::test]
    async fn a_wrapped_key_opens_only_for_its_account_and_with_its_master_key() {
        let folder = tempfile::tempdir().unwrap();
        let master = |name: &str| MasterKey::File(key_file(&folder.path().join(name)).unwrap());
        let (one, other) = (master("one"), master("other"));
        let wrapped = one.wrap(account(), &Secret::generate()).await.unwrap();
        assert!(one.unwrap(account(), &wrapped).await.is_ok());
        assert!(matches!(other.unwrap(account(), &wrapped).await, Err(MasterError::Unfit)));
        assert!(matches!(one.unwrap(UserId(uuid::Uuid::nil()), &wrapped).await, Err(MasterError::Unfit)));
    }
}
