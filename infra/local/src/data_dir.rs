//! The data directory: the engine's file, the keys, and `server.json`, which names the running server.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use infra::{Failure, file, key_files};
use serde::{Deserialize, Serialize};

use crate::{control::Control, engine::database_file};

#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

/// The content of `server.json`. Its secrets let the owner of the files use the engine and move the clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub pid: u32,
    /// The data directory. A copy of the directory has another one, and no server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// The prefix of the server's tables.
    #[serde(default)]
    pub prefix: String,
    /// HTTP address of the API.
    pub http: String,
    /// Endpoint of the engine.
    pub engine: String,
    /// The access key id that the embedded engine demands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine_access_key: Option<String>,
    /// Address and secret of the clock, with `--manual-clock`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
}

#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error("use {path} for data; choose a writable directory with --data-dir or WAITLIST_DATA_DIR")]
    Open {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error(
        "there is no data directory {path}; `waitlist serve` creates one; --data-dir or WAITLIST_DATA_DIR choose another"
    )]
    Missing { path: PathBuf },
    #[error("read {path}, which holds the address of the running server; if no server runs, remove the file")]
    Running {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error(
        "write {path}, which holds the address of the running server; move away the file or directory in its place"
    )]
    Announce {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

impl DataDir {
    /// Opens the directory, or creates it with mode 0700. The mode of an existing directory is kept, because
    /// it may hold other things; every file of the server is readable by its owner alone.
    ///
    /// # Errors
    /// The directory cannot be created.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let made = Self(path.to_owned());
        for part in [made.path(), &made.keys()] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(part);
            made.map_err(|cause| DataDirError::Open { path: part.to_owned(), cause })?;
        }
        Ok(made)
    }

    /// Opens a directory on which a server was started before. Commands create none, because a mistyped name
    /// is more likely than the wish for an empty directory.
    ///
    /// # Errors
    /// The directory does not exist.
    pub fn existing(path: &Path) -> Result<Self, DataDirError> {
        if path.is_dir() { Self::open(path) } else { Err(DataDirError::Missing { path: path.to_owned() }) }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// Creates the keys that stored data depend on if there are no data yet, and otherwise checks that they
    /// exist. For the embedded engine, whose file shows whether there are data.
    ///
    /// # Errors
    /// A key is missing, or cannot be created.
    pub fn require_keys(&self) -> Result<(), Failure> {
        if database_file(self.path()).exists() {
            key_files::expect(&self.keys())
        } else {
            key_files::make(&self.keys())
        }
    }

    /// The directory of messages that are not sent.
    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.0.join("outbox")
    }

    /// Writes `server.json`, readable by its owner alone. It is replaced in one step, so that no reader sees
    /// half of it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn announce(&self, running: &Running) -> Result<(), DataDirError> {
        let draft = self.0.join("server.json.draft");
        let text = serde_json::to_string_pretty(running).map_err(io::Error::from);
        text.and_then(|text| write_own(&draft, &text))
            .map_err(|cause| DataDirError::Announce { path: draft.clone(), cause })?;
        fs::rename(draft, self.server_file())
            .map_err(|cause| DataDirError::Announce { path: self.server_file(), cause })
    }

    /// Reads `server.json`. It may name a server that was killed. `None` if it was copied from another directory.
    ///
    /// # Errors
    /// The file exists and cannot be read.
    pub fn running(&self) -> Result<Option<Running>, DataDirError> {
        let read = match file::read_regular(&self.server_file()) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.and_then(|text| Ok(serde_json::from_slice(&text)?)),
        };
        let read: Running =
            read.map_err(|cause| DataDirError::Running { path: self.server_file(), cause })?;
        let is_here = read.data_dir.as_ref().is_none_or(|named| self.absolute().as_ref() == Some(named));
        Ok(is_here.then_some(read))
    }

    /// The path as `server.json` has it. `None` if the directory cannot be read.
    #[must_use]
    pub fn absolute(&self) -> Option<PathBuf> {
        self.0.canonicalize().ok()
    }

    /// Removes `server.json`.
    pub fn withdraw(&self) {
        if let Err(cause) = fs::remove_file(self.server_file()) {
            tracing::warn!(%cause, "could not remove server.json");
        }
    }

    fn server_file(&self) -> PathBuf {
        self.0.join("server.json")
    }
}

/// Writes a file that only its owner can read.
fn write_own(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
        _ => {} // a left-over draft may be readable by others
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
