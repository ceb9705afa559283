//! The embedded engine: DynamoDB and its streams in this process, stored in one SQLite file. This process
//! calls it directly; commands in other processes reach it on a loopback port with an access key.
//!
//! An acknowledged write survives a crash of the process, because the write-ahead log is written before the
//! answer. It may not survive a power failure: SQLite runs with `synchronous = NORMAL`, which syncs only at
//! checkpoints. That is good enough for data on a developer's machine.

mod calls;
mod changes;
mod error;
mod file;
mod import;
mod port;
mod tables;

use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use aws_config::SdkConfig;
use dynoxide::Database;
use infra::aws::{Answer, Call};
use rusqlite::{Connection, params};
use schema::table::{EVENTS, Table};
use tokio::{sync::watch, task, time::Instant};

use self::calls::Calls;
pub use self::error::{EngineError, Trouble};
pub(crate) use self::{file::database_file, import::Item};

const STOP_MAX_MS: u64 = 5_000; // an unfinished request must not keep the process alive
const PRUNE_CHUNK: usize = 2_000; // records deleted per transaction; writers wait meanwhile

/// The interval at which a start tries to lock a data directory that another process has locked.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// The engine adds this to stored sequence numbers, so that they have 21 digits as in DynamoDB.
const SEQUENCE_OFFSET: u128 = 100_000_000_000_000_000_000;

/// Every streamed write reads its table's newest sequence number, and every poll reads the records after one.
/// Without this index, both would read all records.
const INDEX_STREAMS: &str = "CREATE INDEX IF NOT EXISTS waitlist_stream_order
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// Keeps the newest record even if it was consumed, because the next sequence number is one more than the
/// newest stored one. A number given out twice would be taken for a handled one.
const PRUNE: &str = "DELETE FROM _stream_records WHERE id IN (
    SELECT id FROM _stream_records
    WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= ?2 AND CAST(sequence_number AS INTEGER) <
        (SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1)
    LIMIT ?3)";

/// A running engine. Dropping it stops it without waiting for running requests.
pub struct Engine {
    database: Database,
    calls: Calls,
    file: PathBuf,
    tables: Vec<String>,
    url: String,
    access_key: String,
    stop: watch::Sender<bool>,
    stopped: watch::Receiver<bool>,
    _lock: File,
}

impl Engine {
    /// Opens `dir/engine.db` and serves it, for the deployment `prefix` of `tables`. Must be called inside a
    /// Tokio runtime.
    ///
    /// # Errors
    /// The directory cannot be used, another process uses it, the file cannot be read, or no port is free.
    pub fn start(dir: &Path, tables: &[Table], prefix: &str) -> Result<Self, EngineError> {
        let lock = file::lock(dir)?;
        let database = file::open(dir)?;
        let path = file::database_file(dir);
        // The engine created its internal tables when it opened the file, and nothing writes to them yet.
        let admin = file::connect(&path)?;
        let indexed = admin.execute_batch(INDEX_STREAMS);
        indexed.map_err(|cause| file::statement("index the streams", &path, cause))?;
        changes::finish(&database, &path)?;

        let calls = Calls::new(database.clone(), &path, &EVENTS.name(prefix));
        let access_key = port::access_key();
        let (listener, address) = port::bind().map_err(EngineError::Listen)?;
        let (stop, stopping) = watch::channel(false);
        let (done, stopped) = watch::channel(false);
        let serving = port::serve(listener, calls.clone(), access_key.clone(), stopping);
        task::spawn(async move {
            if let Err(cause) = serving.await {
                tracing::error!(%cause, "the embedded engine stopped serving");
            }
            done.send_replace(true);
        });
        let tables = tables.iter().map(|table| table.name(prefix)).collect();
        let url = format!("http://{address}");
        Ok(Self { database, calls, file: path, tables, url, access_key, stop, stopped, _lock: lock })
    }

    /// Like [`Engine::start`], but waits up to `patience` for another process to release the directory: a
    /// process that was just killed may still be ending.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub async fn start_when_free(
        dir: &Path,
        tables: &[Table],
        prefix: &str,
        patience: Duration,
    ) -> Result<Self, EngineError> {
        let deadline = Instant::now() + patience;
        loop {
            match Self::start(dir, tables, prefix) {
                Err(EngineError::InUse { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(LOCK_POLL).await;
                }
                started => return started,
            }
        }
    }

    /// Returns the SDK configuration with which this process calls the engine without a socket.
    pub async fn sdk(&self) -> SdkConfig {
        let calls = self.calls.clone();
        infra::aws::in_process(move |call| {
            let calls = calls.clone();
            async move { calls.answer(call).await }
        })
        .await
    }

    /// Answers a call on this thread, which is blocked meanwhile.
    #[must_use]
    pub fn answer_blocking(&self, call: &Call) -> Answer {
        self.calls.answer_blocking(call)
    }

    /// The endpoint for other processes: the value of `AWS_ENDPOINT_URL_DYNAMODB` and `..._STREAMS`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The secret access key id that requests to the endpoint must carry.
    #[must_use]
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// Returns a counter that changes after each write to the events table.
    #[must_use]
    pub fn written(&self) -> watch::Receiver<u64> {
        self.calls.written()
    }

    /// Waits for the running requests, then stops serving. Dropping the engine then releases the directory.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let mut stopped = self.stopped.clone();
        let until_stopped = stopped.wait_for(|stopped| *stopped);
        if tokio::time::timeout(Duration::from_millis(STOP_MAX_MS), until_stopped).await.is_err() {
            tracing::warn!(
                waited_ms = STOP_MAX_MS,
                "stopped the embedded engine although it still had requests"
            );
        }
    }

    /// Indexes this deployment's tables, and its tables of rows by their full names, so that a scan reads each page
    /// in order instead of sorting the rest of the table. The tables must exist. Repeating it costs nothing. Tables
    /// that are created by a call are indexed at once; those of an older file are not.
    ///
    /// # Errors
    /// A table does not exist, or the file cannot be written.
    pub async fn index_scans(&self, rows: &[String]) -> Result<(), EngineError> {
        for table in self.tables.iter().chain(rows) {
            self.index_scan(table).await?;
        }
        Ok(())
    }

    /// Like [`Engine::index_scans`], for one table by its full name.
    ///
    /// # Errors
    /// The table does not exist, or the file cannot be written.
    pub async fn index_scan(&self, table: &str) -> Result<(), EngineError> {
        let table = table.to_owned();
        self.admin("index scans", move |database| file::index_scan(database, &table)).await
    }

    /// Deletes the stream records of `table` up to the sequence number `consumed`, which every consumer must
    /// have checkpointed. The newest record stays. Returns the number of deleted records.
    ///
    /// # Errors
    /// `consumed` is not a sequence number of this engine, or the file cannot be written.
    pub async fn prune(&self, table: &str, consumed: &str) -> Result<usize, EngineError> {
        let stored = stored_sequence(consumed).ok_or_else(|| EngineError::Sequence(consumed.to_owned()))?;
        let mut pruned = 0;
        // The loop ends: each round but the last deletes a full chunk of the finitely many records up to
        // `consumed`.
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

    /// Deletes the items whose time to live is over by the machine's clock. Returns the number of deleted
    /// items.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn expire(&self) -> Result<usize, EngineError> {
        let database = self.database.clone();
        task::spawn_blocking(move || database.sweep_ttl()).await?.map_err(EngineError::Expire)
    }

    /// Runs a statement on its own connection and on a blocking thread: SQLite blocks while the engine
    /// writes.
    async fn admin<T: Send + 'static>(
        &self,
        doing: &'static str,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, EngineError> {
        let path = self.file.clone();
        task::spawn_blocking(move || {
            let database = file::connect(&path)?;
            run(&database).map_err(|cause| file::statement(doing, &path, cause))
        })
        .await?
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("file", &self.file).field("url", &self.url).finish_non_exhaustive()
    }
}

fn stored_sequence(public: &str) -> Option<i64> {
    let number: u128 = public.parse().ok()?;
    i64::try_from(number.checked_sub(SEQUENCE_OFFSET)?).ok()
}

#[cfg(test)]
mod tests;
