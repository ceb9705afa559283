//! Creates and deletes tables, which the engine does in several steps, each written on its own.
//!
//! A half-made table answers no call, and an engine with one would not start. So the table's name is written down before
//! the first step and removed after the last one. A name that is still written down at the next start belongs to a change
//! that was cut off: the table is deleted, which is safe because the caller got no answer.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use dynoxide::{Database, DynoxideError, actions::delete_table::DeleteTableRequest};
use rusqlite::{Connection, params};
use serde::Deserialize;
use tracing::{info, warn};

use super::{error::EngineError, file};

const UNFINISHED: &str = "CREATE TABLE IF NOT EXISTS waitlist_unfinished (table_name TEXT PRIMARY KEY)";

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
        let file = self.connect()?;
        // A table that exists must never be written down: a crash right now would delete it.
        if exists(&file, &table)? {
            return run();
        }
        write_down(&file, &table)?;
        let created = run();
        match &created {
            Ok(_) => {
                if let Err(cause) = file::index_scan(&file, &table) {
                    warn!(table, %cause, "could not index a table that was created; its scans are slow until the next start");
                }
            }
            Err(_) => delete(database, &table)?,
        }
        cross_out(&file, &table)?;
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
        let file = self.connect()?;
        write_down(&file, &table)?;
        let deleted = run();
        // After a failure some steps may be done; the caller tries again, or the next start deletes the table.
        if deleted.as_ref().err().is_none_or(|refused| refused.status_code() < 500) {
            cross_out(&file, &table)?;
        }
        deleted
    }

    fn connect(&self) -> Result<Connection, DynoxideError> {
        file::connect(&self.file).map_err(|cause| DynoxideError::InternalServerError(cause.to_string()))
    }
}

/// Deletes the tables whose creation or deletion was cut off. Nothing else may use the database meanwhile.
pub(super) fn finish(database: &Database, file: &Connection, path: &Path) -> Result<(), EngineError> {
    let failed = |cause| file::statement("find unfinished tables", path, cause);
    let tables = unfinished(file).map_err(failed)?;
    for table in tables {
        delete(database, &table).map_err(|cause| EngineError::Finish { table: table.clone(), cause })?;
        cross_out(file, &table).map_err(failed)?;
        info!(table, "deleted a table whose creation or deletion was cut off");
    }
    Ok(())
}

fn unfinished(file: &Connection) -> rusqlite::Result<Vec<String>> {
    file.execute_batch(UNFINISHED)?;
    file.prepare("SELECT table_name FROM waitlist_unfinished")?.query_map([], |row| row.get(0))?.collect()
}

/// Deletes what there is of a table.
fn delete(database: &Database, table: &str) -> Result<(), DynoxideError> {
    match database.delete_table(DeleteTableRequest { table_name: table.to_owned() }) {
        Ok(_) | Err(DynoxideError::ResourceNotFoundException(_)) => Ok(()),
        Err(cause) => Err(cause),
    }
}

fn exists(file: &Connection, table: &str) -> rusqlite::Result<bool> {
    file.prepare("SELECT 1 FROM _tables WHERE table_name = ?1")?.exists(params![table])
}

fn write_down(file: &Connection, table: &str) -> rusqlite::Result<()> {
    file.execute("INSERT OR IGNORE INTO waitlist_unfinished VALUES (?1)", params![table]).map(drop)
}

fn cross_out(file: &Connection, table: &str) -> rusqlite::Result<()> {
    file.execute("DELETE FROM waitlist_unfinished WHERE table_name = ?1", params![table]).map(drop)
}

fn table_of(request: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "TableName")]
        table: String,
    }
    serde_json::from_slice(request).ok().map(|Named { table }| table)
}
