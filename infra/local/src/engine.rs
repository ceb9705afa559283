//! The embedded engine: DynamoDB and its streams in this process, kept in one SQLite file and served on a port of the loopback interface.
//!
//! An acknowledged write survives the death of the process (the write-ahead log is written before the answer) but perhaps not a
//! loss of power: SQLite runs with `synchronous = NORMAL`, which syncs at checkpoints only. A laptop's data is worth that trade.

use std::{
    fmt,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use dynoxide::{Database, DynoxideError};
use rusqlite::{Connection, params};
use schema::table::Table;
use tokio::{net::TcpListener, sync::watch, task};

const DATABASE_FILE: &str = "engine.db";
const LOCK_FILE: &str = "engine.lock";
const BUSY_MS: u64 = 5_000; // the engine itself waits as long for us
const STOP_MAX_MS: u64 = 5_000; // an unfinished request must not keep the process alive
const PRUNE_CHUNK: usize = 2_000; // records deleted per transaction; writers wait meanwhile

/// What the engine adds to a sequence number to show it with DynamoDB's 21 digits.
const SEQUENCE_OFFSET: u128 = 100_000_000_000_000_000_000;

/// Every streamed write asks for its table's newest sequence number, and every poll for what follows one: unindexed, both read
/// all records there are.
const INDEX_STREAMS: &str = "CREATE INDEX IF NOT EXISTS waitlist_stream_order
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// The next sequence number is one more than the newest that is left, so the newest stays, whatever was consumed: a number given
/// out twice would be taken for one already handled.
const PRUNE: &str = "DELETE FROM _stream_records WHERE id IN (
    SELECT id FROM _stream_records
    WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= ?2 AND CAST(sequence_number AS INTEGER) <
        (SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1)
    LIMIT ?3)";

/// Why the engine does not run, or could not be tended.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The data directory cannot be made or written.
    #[error("use {path} for data; choose a directory that can be written")]
    Directory {
        /// The directory or file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// Another process has it.
    #[error("{path} is in use by another process; stop that one, or choose another data directory")]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// SQLite takes no other path.
    #[error("{path:?} is not UTF-8; choose another data directory")]
    Name {
        /// The database file.
        path: PathBuf,
    },
    /// The file is no database of this engine, or of a newer one.
    #[error("open {path}; if it is damaged, move the data directory away to start afresh")]
    Open {
        /// The database file.
        path: PathBuf,
        /// What the engine said.
        #[source]
        cause: DynoxideError,
    },
    /// A statement of our own failed.
    #[error("{doing} in {path}")]
    Statement {
        /// What it was for.
        doing: &'static str,
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        cause: rusqlite::Error,
    },
    /// No port, or no runtime to serve it on.
    #[error("listen on a free port of 127.0.0.1")]
    Listen(#[source] io::Error),
    /// The position was not given out by this engine.
    #[error("{0:?} is no sequence number of the embedded engine")]
    Sequence(String),
    /// The engine did not drop what has expired.
    #[error("drop what has expired")]
    Expire(#[source] DynoxideError),
    /// The thread that ran a statement was lost.
    #[error("wait for the database")]
    Lost(#[from] task::JoinError),
}

/// A running engine. Dropping it stops it too, but without waiting.
pub struct Engine {
    database: Database,
    file: PathBuf,
    tables: Vec<String>,
    url: String,
    stop: watch::Sender<bool>,
    stopped: watch::Receiver<bool>,
    // Held for as long as the engine lives; the kernel lets go of it even when the process is killed.
    _lock: File,
}

impl Engine {
    /// Opens `dir/engine.db` and serves it, for the deployment `prefix` of `tables`. To be called inside a Tokio runtime.
    ///
    /// # Errors
    /// When the directory cannot be used, another process uses it, the file cannot be read, or no port is free.
    pub fn start(dir: &Path, tables: &[Table], prefix: &str) -> Result<Self, EngineError> {
        fs::create_dir_all(dir).map_err(|cause| EngineError::Directory { path: dir.to_owned(), cause })?;
        let lock = lock(dir)?;
        let file = dir.join(DATABASE_FILE);
        let database = open(&file)?;
        // The engine makes its own tables when it opens a file, so they are there now, and nobody writes to them yet.
        let admin = connect(&file)?;
        admin.execute_batch(INDEX_STREAMS).map_err(|cause| statement("index the streams", &file, cause))?;

        let (listener, url) = listen().map_err(EngineError::Listen)?;
        let (stop, stopping) = watch::channel(false);
        let (done, stopped) = watch::channel(false);
        let served = database.clone();
        task::spawn(async move {
            if let Err(cause) =
                dynoxide::server::serve_with_shutdown(listener, served, until_set(stopping)).await
            {
                tracing::error!(cause, "the embedded engine stopped serving");
            }
            done.send_replace(true);
        });
        let tables = tables.iter().map(|table| table.name(prefix)).collect();
        Ok(Self { database, file, tables, url, stop, stopped, _lock: lock })
    }

    /// The endpoint: what `AWS_ENDPOINT_URL_DYNAMODB` and `..._STREAMS` are set to.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets the requests that run finish, then stops serving. The directory is free for others once the engine is dropped.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let until_stopped = until_set(self.stopped.clone());
        if tokio::time::timeout(Duration::from_millis(STOP_MAX_MS), until_stopped).await.is_err() {
            tracing::warn!(waited_ms = STOP_MAX_MS, "the embedded engine still has requests; leaving them");
        }
    }

    /// Makes scans of this deployment's tables read each page in order instead of sorting the remainder. Needs the tables to exist;
    /// costs nothing where the indexes already do.
    ///
    /// # Errors
    /// When a table does not exist, or the file cannot be written.
    pub async fn index_scans(&self) -> Result<(), EngineError> {
        for table in &self.tables {
            self.index_scan(table).await?;
        }
        Ok(())
    }

    /// The same for one table, by its full name: a generation of rows made later, say.
    ///
    /// # Errors
    /// When the table does not exist, or the file cannot be written.
    pub async fn index_scan(&self, table: &str) -> Result<(), EngineError> {
        let name = table.replace('"', "\"\"");
        let index = format!(
            "CREATE INDEX IF NOT EXISTS \"waitlist_scan_{name}\" ON \"{name}\" (hash_prefix, pk, sk)"
        );
        self.admin("index scans", move |database| database.execute_batch(&index)).await
    }

    /// Deletes the stream records of `table` up to the sequence number `consumed`, which every consumer must have checkpointed.
    /// The newest record stays. Returns how many went.
    ///
    /// # Errors
    /// When `consumed` is no sequence number of this engine, or the file cannot be written.
    pub async fn prune(&self, table: &str, consumed: &str) -> Result<usize, EngineError> {
        let stored = stored_sequence(consumed).ok_or_else(|| EngineError::Sequence(consumed.to_owned()))?;
        let mut pruned = 0;
        // Ends: each round but the last deletes a full chunk of the finitely many records up to `consumed`.
        loop {
            let table = table.to_owned();
            let chunk = self.admin("prune a stream", move |database| {
                database.execute(PRUNE, params![table, stored, PRUNE_CHUNK])
            });
            let deleted = chunk.await?;
            pruned += deleted;
            if deleted < PRUNE_CHUNK {
                return Ok(pruned);
            }
        }
    }

    /// Drops the items whose time is over by the machine's clock, of tables that say when that is. Returns how many went.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn expire(&self) -> Result<usize, EngineError> {
        let database = self.database.clone();
        task::spawn_blocking(move || database.sweep_ttl()).await?.map_err(EngineError::Expire)
    }

    /// Runs a statement on a connection of its own, off the runtime: SQLite blocks while the engine writes.
    async fn admin<T: Send + 'static>(
        &self,
        doing: &'static str,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, EngineError> {
        let file = self.file.clone();
        task::spawn_blocking(move || {
            let database = connect(&file)?;
            run(&database).map_err(|cause| statement(doing, &file, cause))
        })
        .await?
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("file", &self.file).field("url", &self.url).finish_non_exhaustive()
    }
}

fn lock(dir: &Path) -> Result<File, EngineError> {
    let path = dir.join(LOCK_FILE);
    let opened = File::options().create(true).truncate(false).write(true).open(&path);
    let file = opened.map_err(|cause| EngineError::Directory { path: path.clone(), cause })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EngineError::InUse { path: dir.to_owned() }),
        Err(TryLockError::Error(cause)) => Err(EngineError::Directory { path, cause }),
    }
}

fn open(file: &Path) -> Result<Database, EngineError> {
    let name = file.to_str().ok_or_else(|| EngineError::Name { path: file.to_owned() })?;
    let opened = Database::new(name).and_then(|database| {
        // The engine's only way to `synchronous = NORMAL`: switching its bulk mode off again leaves exactly that.
        database.enable_bulk_loading()?;
        database.disable_bulk_loading()?;
        Ok(database)
    });
    opened.map_err(|cause| EngineError::Open { path: file.to_owned(), cause })
}

fn connect(file: &Path) -> Result<Connection, EngineError> {
    let opened = Connection::open(file).and_then(|connection| {
        connection.busy_timeout(Duration::from_millis(BUSY_MS))?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(connection)
    });
    opened.map_err(|cause| statement("connect", file, cause))
}

fn statement(doing: &'static str, file: &Path, cause: rusqlite::Error) -> EngineError {
    EngineError::Statement { doing, path: file.to_owned(), cause }
}

fn listen() -> io::Result<(TcpListener, String)> {
    let runtime = tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
    let _inside = runtime.enter();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((TcpListener::from_std(listener)?, url))
}

/// Ends when the flag is set, or when nobody is left to set it.
async fn until_set(mut flag: watch::Receiver<bool>) {
    let _nobody_left = flag.wait_for(|set| *set).await;
}

fn stored_sequence(public: &str) -> Option<i64> {
    let number: u128 = public.parse().ok()?;
    i64::try_from(number.checked_sub(SEQUENCE_OFFSET)?).ok()
}

#[cfg(test)]
mod tests;
