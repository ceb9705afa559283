//! Errors of the embedded engine, with advice for the person who starts the server.

use std::{fmt, io, path::PathBuf};

use dynoxide::DynoxideError;
use infra::tables::TablesError;
use rusqlite::{ErrorCode, ffi};
use tokio::task;

/// The reason why the engine does not start, or a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("use {path} for data; choose a writable directory")]
    Directory {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{path} is in use by another process; stop that one, or choose another data directory")]
    InUse { path: PathBuf },
    #[error("{path:?} is not UTF-8; choose another data directory")]
    Name { path: PathBuf },
    /// The write-ahead log is useless without its database, and a new database would not fit it.
    #[error(
        "{path} is missing, but {wal} is there; restore {path}, or move the data directory away to start afresh"
    )]
    Missing { path: PathBuf, wal: PathBuf },
    #[error("open {path}{trouble}")]
    Open {
        path: PathBuf,
        trouble: Trouble,
        #[source]
        cause: DynoxideError,
    },
    #[error("{doing} in {path}{trouble}")]
    Statement {
        doing: &'static str,
        path: PathBuf,
        trouble: Trouble,
        #[source]
        cause: rusqlite::Error,
    },
    #[error("listen on a free port of 127.0.0.1")]
    Listen(#[source] io::Error),
    #[error("{0:?} is not a sequence number of the embedded engine")]
    Sequence(String),
    #[error("delete expired items")]
    Expire(#[source] DynoxideError),
    #[error("delete table {table}, whose creation or deletion was cut off")]
    Finish {
        table: String,
        #[source]
        cause: DynoxideError,
    },
    #[error("import items")]
    Import(#[source] DynoxideError),
    #[error("an item to import has an attribute of a type that the embedded engine does not know")]
    UnknownType,
    #[error(transparent)]
    Tables(#[from] Box<TablesError>),
    #[error("wait for the database")]
    Lost(#[from] task::JoinError),
}

/// The kinds of trouble with the database file that call for different advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Full,
    ReadOnly,
    Damaged,
    Locked,
    Other,
}

impl Trouble {
    pub(super) fn of(error: &DynoxideError) -> Self {
        match error {
            DynoxideError::SqliteError(cause) => Self::of_sqlite(cause),
            DynoxideError::InternalServerError(text) => Self::of_text(text),
            _ => Self::Other,
        }
    }

    pub(super) fn of_sqlite(error: &rusqlite::Error) -> Self {
        let Some(error) = error.sqlite_error() else { return Self::Other };
        match error.code {
            ErrorCode::DiskFull => Self::Full,
            // The shared-memory file beside the write-ahead log could not grow.
            ErrorCode::SystemIoFailure if error.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => Self::ReadOnly,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Locked,
            _ => Self::Other,
        }
    }

    /// Some errors reach us only as SQLite's text.
    fn of_text(text: &str) -> Self {
        // https://www.sqlite.org/rescode.html; the texts are those of sqlite3_errstr.
        let texts = [
            ("database or disk is full", Self::Full),
            ("attempt to write a readonly database", Self::ReadOnly),
            ("unable to open database file", Self::ReadOnly),
            ("database disk image is malformed", Self::Damaged),
            ("file is not a database", Self::Damaged),
            ("not a valid SQLite database", Self::Damaged), // the engine's own text
            ("database is locked", Self::Locked),
        ];
        texts.into_iter().find(|(known, _)| text.contains(known)).map_or(Self::Other, |(_, trouble)| trouble)
    }
}

/// Writes the advice as the end of a sentence.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => ": the disk is full; make room, then start again: the data are kept",
            Self::ReadOnly => {
                ": it cannot be written; check its permissions, and whether its file system is read-only"
            }
            Self::Damaged => {
                ": it is damaged; restore a copy, or move the data directory away to start afresh"
            }
            Self::Locked => ": another program has it open; close that program, then start again",
            Self::Other => "",
        })
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, OpenFlags};

    use super::*;

    /// Runs statements that must fail, and returns SQLite's error.
    fn failing(connection: &Connection, statement: &str) -> rusqlite::Error {
        connection.execute_batch(statement).unwrap_err()
    }

    #[test]
    fn full_read_only_damaged_and_locked_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("some.db");
        let fill = "CREATE TABLE filled (a); INSERT INTO filled VALUES (zeroblob(1000000))";

        let small = Connection::open_in_memory().unwrap();
        small.pragma_update(None, "max_page_count", 4).unwrap();
        let full = failing(&small, fill);
        let writer = Connection::open(&file).unwrap();
        writer.execute_batch("CREATE TABLE there (a)").unwrap();
        let reader = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let read_only = failing(&reader, fill);
        writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let other = Connection::open(&file).unwrap();
        other.busy_timeout(std::time::Duration::ZERO).unwrap();
        let locked = failing(&other, fill);
        let garbage = directory.path().join("garbage.db");
        std::fs::write(&garbage, [7; 4096]).unwrap();
        let damaged = failing(&Connection::open(&garbage).unwrap(), fill);

        for (error, trouble, advice) in [
            (full, Trouble::Full, "make room"),
            (read_only, Trouble::ReadOnly, "is read-only"),
            (locked, Trouble::Locked, "close that program"),
            (damaged, Trouble::Damaged, "restore a copy"),
        ] {
            assert_eq!(Trouble::of_sqlite(&error), trouble, "{error}");
            let as_text = DynoxideError::InternalServerError(format!("Internal error: {error}"));
            assert_eq!(Trouble::of(&as_text), trouble, "{error}");
            assert!(trouble.to_string().contains(advice));
            let afresh = trouble.to_string().contains("start afresh");
            assert_eq!(afresh, trouble == Trouble::Damaged, "only damage is a reason to start afresh");
        }
    }
}
