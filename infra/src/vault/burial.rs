//! Destroying keys: a tombstone takes the place of a subject's key.

use std::collections::HashSet;

use super::{Vault, VaultError, items, subject::Subject};

impl Vault {
    /// Replaces a subject's key by a tombstone, also if it has no key. The subject never gets a key again.
    /// Costs one write unit.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn bury(&self, subject: Subject) -> Result<(), VaultError> {
        items::bury(&self.0.client, &self.0.table, subject).await?;
        self.0.cache.forget(subject);
        Ok(())
    }

    /// Returns those of these erased subjects whose items are more than a tombstone: a restore of the table brings
    /// keys back. Keys are neither opened nor kept. Strongly consistent, one read unit for each subject, up to a
    /// hundred per call.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn unburied(&self, erased: &[Subject]) -> Result<Vec<Subject>, VaultError> {
        let subjects: HashSet<Subject> = erased.iter().copied().collect();
        let found = items::stored(&self.0.client, &self.0.table, &subjects).await?;
        Ok(found
            .into_iter()
            .filter(|(_, item)| !items::is_tombstone_alone(item))
            .map(|(subject, _)| subject)
            .collect())
    }
}
