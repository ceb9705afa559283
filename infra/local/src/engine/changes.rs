//! Creates and deletes tables, which the engine does in several steps, each written on its own.
//!
//! A half-made table answers no call, and an engine with one would not start. So the table's name is written down before
//! the first step and removed after the last one. A name that is still written down at the next start belongs to a change
//! that was cut off: the table is deleted, which is safe because the caller got no answer.

use std::{
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

/// Holds the name beside the database, because a connection of our own would read the layouts of all tables first.
const UNFINISHED: &str = "engine.unfinished";

/// Changes one table at a time. Clones share the turn.
#[derive(Clone)]
pub(super) struct Changes {
    file: Arc<Path>,
    turn: Arc<Mutex<()>>,
}

impl Changes {
    pub(super) fn new(file: &Path) -> Self {
        Self { file: file.into(), turn: Arc::default() }
    }

    /// Runs a CreateTable, and indexes the new table for scans.
    pub(super) fn create<A>(
        &self,
        database: &Database,
        request: &[u8],
        run: impl FnOnce() -> Result<A, DynoxideError>,
    ) -> Result<A, DynoxideError> {
        let Some(table) = table_of(request) else { return run() };
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // A table that exists must never be written down: a crash right now would delete it.
        if exists(database, &table) {
            return run();
        }
        self.write_down(&table)?;
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
        self.cross_out()?;
        created
    }

    /// Runs a DeleteTable.
    pub(super) fn delete<A>(
        &self,
        request: &[u8],
        run: impl FnOnce() -> Result<A, DynoxideError>,
    ) -> Result<A, DynoxideError> {
        let Some(table) = table_of(request) else { return run() };
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_down(&table)?;
        let deleted = run();
        // After a failure some steps may be done; the caller tries again, or the next start deletes the table.
        if deleted.as_ref().err().is_none_or(|refused| refused.status_code() < 500) {
            self.cross_out()?;
        }
        deleted
    }

    fn write_down(&self, table: &str) -> Result<(), DynoxideError> {
        fs::write(unfinished(&self.file), table).map_err(internal)
    }

    fn cross_out(&self) -> Result<(), DynoxideError> {
        fs::remove_file(unfinished(&self.file)).map_err(internal)
    }
}

/// Deletes the table whose creation or deletion was cut off. Nothing else may use the database meanwhile.
pub(super) fn finish(database: &Database, path: &Path) -> Result<(), EngineError> {
    let (file, failed) = (unfinished(path), |cause| EngineError::Directory { path: unfinished(path), cause });
    let table = match fs::read_to_string(&file) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        table => table.map_err(failed)?,
    };
    // The file is empty if the kill came before the name was written, and so before the first step.
    if !table.is_empty() {
        delete(database, &table).map_err(|cause| EngineError::Finish { table: table.clone(), cause })?;
        info!(table, "deleted a table whose creation or deletion was cut off");
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
