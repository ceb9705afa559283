//! Creates and deletes tables, which the engine does in several steps, each written on its own.
//!
//! A half-made table answers no call, and an engine with one would not start. So the table's name is written down before
//! the first step and removed after the last one. A name that is still written down at the next start belongs to a change
//! that was cut off or failed: the table is deleted, which is safe because its caller was not told that it exists.
//! UpdateTable needs no such note, also when it adds an index: the engine does it in one transaction.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use dynoxide::{
    Database, DynoxideError,
    actions::{delete_table::DeleteTableRequest, describe_time_to_live::DescribeTimeToLiveRequest},
};
use serde::Deserialize;
use tracing::{info, warn};

use super::{error::EngineError, file};

/// Holds the names, one a line, beside the database, because a connection of our own would read the layouts of all tables first.
const UNFINISHED: &str = "engine.unfinished";

/// Changes one table at a time. Clones share the turn.
#[derive(Clone)]
pub(super) struct Changes {
    file: Arc<Path>,
    /// The names that are written down: of the change under way, and of deletions that failed.
    unfinished: Arc<Mutex<BTreeSet<String>>>,
}

impl Changes {
    pub(super) fn new(file: &Path) -> Self {
        Self { file: file.into(), unfinished: Arc::default() }
    }

    /// Runs a CreateTable, and indexes the new table for scans.
    pub(super) fn create<A>(
        &self,
        database: &Database,
        request: &[u8],
        run: impl FnOnce() -> Result<A, DynoxideError>,
    ) -> Result<A, DynoxideError> {
        let Some(table) = table_of(request) else { return run() };
        let mut unfinished = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        // A table that exists must never be written down: a crash right now would delete it.
        if exists(database, &table) {
            return run();
        }
        self.write_down(&mut unfinished, &table)?;
        let created = run();
        match &created {
            Ok(_) => {
                let indexed = file::connect(&self.file).and_then(|opened| {
                    file::index_scan(&opened, &table)
                        .map_err(|cause| file::statement("index scans", &self.file, cause))
                });
                if let Err(cause) = indexed {
                    warn!(table, %cause, "could not index a table that was created; its scans are slow until the next start");
                }
            }
            Err(_) => delete(database, &table)?,
        }
        self.cross_out(&mut unfinished, &table)?;
        created
    }

    /// Runs a DeleteTable.
    pub(super) fn delete<A>(
        &self,
        request: &[u8],
        run: impl FnOnce() -> Result<A, DynoxideError>,
    ) -> Result<A, DynoxideError> {
        let Some(table) = table_of(request) else { return run() };
        let mut unfinished = self.unfinished.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_down(&mut unfinished, &table)?;
        let deleted = run();
        // After a failure some steps may be done; the caller tries again, or the next start deletes the table.
        if deleted.as_ref().err().is_none_or(|refused| refused.status_code() < 500) {
            self.cross_out(&mut unfinished, &table)?;
        }
        deleted
    }

    fn write_down(&self, names: &mut BTreeSet<String>, table: &str) -> Result<(), DynoxideError> {
        names.insert(table.to_owned());
        self.store(names)
    }

    fn cross_out(&self, names: &mut BTreeSet<String>, table: &str) -> Result<(), DynoxideError> {
        names.remove(table);
        self.store(names)
    }

    /// Replaces the file, so that a kill leaves either the former names or these.
    fn store(&self, names: &BTreeSet<String>) -> Result<(), DynoxideError> {
        let file = unfinished(&self.file);
        if names.is_empty() {
            return fs::remove_file(file).map_err(internal);
        }
        let new = file.with_extension("new");
        let lines: Vec<&str> = names.iter().map(String::as_str).collect();
        fs::write(&new, lines.join("\n")).and_then(|()| fs::rename(&new, file)).map_err(internal)
    }
}

/// Deletes the tables whose creation or deletion was cut off or failed. Nothing else may use the database meanwhile.
pub(super) fn finish(database: &Database, path: &Path) -> Result<(), EngineError> {
    let (file, failed) = (unfinished(path), |cause| EngineError::Directory { path: unfinished(path), cause });
    let names = match fs::read_to_string(&file) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        names => names.map_err(failed)?,
    };
    for table in names.lines() {
        delete(database, table).map_err(|cause| EngineError::Finish { table: table.to_owned(), cause })?;
        info!(table, "deleted a table whose creation or deletion was not finished");
    }
    fs::remove_file(&file).map_err(failed)
}

fn unfinished(database: &Path) -> PathBuf {
    database.with_file_name(UNFINISHED)
}

fn internal(cause: io::Error) -> DynoxideError {
    DynoxideError::InternalServerError(cause.to_string())
}

/// Deletes what there is of a table.
fn delete(database: &Database, table: &str) -> Result<(), DynoxideError> {
    match database.delete_table(DeleteTableRequest { table_name: table.to_owned() }) {
        Ok(_) | Err(DynoxideError::ResourceNotFoundException(_)) => Ok(()),
        Err(cause) => Err(cause),
    }
}

fn exists(database: &Database, table: &str) -> bool {
    let request = DescribeTimeToLiveRequest { table_name: table.to_owned() };
    !matches!(database.describe_time_to_live(request), Err(DynoxideError::ResourceNotFoundException(_)))
}

fn table_of(request: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "TableName")]
        table: String,
    }
    serde_json::from_slice(request).ok().map(|Named { table }| table)
}

#[cfg(test)]
mod tests {
    use schema::table::WAITEES;
    use serde_json::json;

    use super::*;
    use crate::testing::{Backend, temporary};

    #[tokio::test]
    async fn the_note_of_a_deletion_that_failed_outlives_later_changes_until_the_next_start() {
        let dir = temporary();
        let backend = Backend::start(dir.path()).await;
        let [kept, deleted] = [7, 8].map(|generation| WAITEES.generation(generation));
        infra::tables::create(&backend.dynamodb, &backend.prefix, std::slice::from_ref(&kept)).await.unwrap();
        let changes = Changes::new(&dir.path().join("engine.db"));
        let request = |name: &str| json!({ "TableName": name }).to_string().into_bytes();
        let fails = || Err::<(), _>(DynoxideError::InternalServerError("cut off".to_owned()));
        let name = kept.name(&backend.prefix);
        changes.delete(&request(&name), fails).unwrap_err();
        changes.delete(&request(&deleted.name(&backend.prefix)), || Ok(())).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join(UNFINISHED)).unwrap(), name);
        drop(backend);

        let backend = Backend::start(dir.path()).await;
        let names = backend.dynamodb.list_tables().send().await.unwrap().table_names.unwrap();
        assert!(!names.contains(&name), "{names:?}");
        assert!(!dir.path().join(UNFINISHED).exists());
    }
}
