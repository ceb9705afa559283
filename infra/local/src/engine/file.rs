//! The engine's files in the data directory, readable by their owner alone, and its lock.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use dynoxide::Database;
use rusqlite::Connection;

use super::error::{EngineError, Trouble};

const DATABASE_FILE: &str = "engine.db";
/// SQLite's write-ahead log and its index; SQLite gives them the mode of the database file.
const WAL_FILES: [&str; 2] = ["engine.db-wal", "engine.db-shm"];
const LOCK_FILE: &str = "engine.lock";
const OWNER_ONLY: u32 = 0o600;
const BUSY_MS: u64 = 5_000; // the engine's own connections wait as long

/// The path of the database in a data directory.
pub(crate) fn database_file(dir: &Path) -> PathBuf {
    dir.join(DATABASE_FILE)
}

/// Locks the data directory for this process. The kernel releases the lock even when the process is killed.
pub(super) fn lock(dir: &Path) -> Result<File, EngineError> {
    let directory = |path: &Path| {
        let path = path.to_owned();
        move |cause| EngineError::Directory { path, cause }
    };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(directory(dir))?;
    let path = dir.join(LOCK_FILE);
    let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(OWNER_ONLY).open(&path);
    let file = opened.map_err(directory(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EngineError::InUse { path: dir.to_owned() }),
        Err(TryLockError::Error(cause)) => Err(EngineError::Directory { path, cause }),
    }
}

/// Opens the database of a locked directory, or creates it.
pub(super) fn open(dir: &Path) -> Result<Database, EngineError> {
    let file = database_file(dir);
    let name = file.to_str().ok_or_else(|| EngineError::Name { path: file.clone() })?;
    restrict_to_owner(dir, &file)?;
    let opened = Database::new(name).and_then(|database| {
        // The engine's only way to set `synchronous = NORMAL` is to switch its bulk mode on and off.
        database.enable_bulk_loading()?;
        database.disable_bulk_loading()?;
        Ok(database)
    });
    opened.map_err(|cause| EngineError::Open { path: file.clone(), trouble: Trouble::of(&cause), cause })
}

/// Creates an empty database file with mode 0600, and sets that mode on files of an older version.
fn restrict_to_owner(dir: &Path, file: &Path) -> Result<(), EngineError> {
    let failed = |cause| EngineError::Directory { path: file.to_owned(), cause };
    let [wal, shm] = WAL_FILES.map(|name| dir.join(name));
    if !fs::exists(file).map_err(failed)? {
        if fs::exists(&wal).map_err(failed)? {
            return Err(EngineError::Missing { path: file.to_owned(), wal });
        }
        OpenOptions::new().create_new(true).write(true).mode(OWNER_ONLY).open(file).map_err(failed)?;
    }
    for path in [file, &wal, &shm, &dir.join(LOCK_FILE)] {
        match fs::metadata(path) {
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                fs::set_permissions(path, Permissions::from_mode(OWNER_ONLY)).map_err(failed)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Opens our own connection to the engine's file.
pub(super) fn connect(file: &Path) -> Result<Connection, EngineError> {
    let opened = Connection::open(file).and_then(|connection| {
        connection.busy_timeout(Duration::from_millis(BUSY_MS))?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(connection)
    });
    opened.map_err(|cause| statement("connect", file, cause))
}

/// Indexes a table, by its full name, for scans by segments. The engine selects a segment by the first three characters of
/// `hash_prefix`, and then sorts its items. Without the index each page of a segment reads the whole table.
pub(super) fn index_scan(database: &Connection, table: &str) -> rusqlite::Result<()> {
    let name = table.replace('"', "\"\"");
    let index = format!("\"waitlist_segments_{name}\" ON \"{name}\" (substr(hash_prefix, 1, 3))");
    database.execute_batch(&format!(
        "DROP INDEX IF EXISTS \"waitlist_scan_{name}\"; CREATE INDEX IF NOT EXISTS {index}"
    ))
}

pub(super) fn statement(doing: &'static str, file: &Path, cause: rusqlite::Error) -> EngineError {
    EngineError::Statement { doing, path: file.to_owned(), trouble: Trouble::of_sqlite(&cause), cause }
}
