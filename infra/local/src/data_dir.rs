//! The data directory: the engine's file, the keys, and where the running server is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// A data directory.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

/// Where a running server is, as `server.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process id.
    pub pid: u32,
    /// Its HTTP address.
    pub http: String,
    /// Its engine's endpoint.
    pub engine: String,
}

impl DataDir {
    /// Makes the directory when there is none.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path.join("keys"))?;
        Ok(Self(path.to_owned()))
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where keys are.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// Says where the server is: whole or not at all, so that nobody reads half an address.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn announce(&self, running: &Running) -> io::Result<()> {
        let draft = self.0.join("server.json.draft");
        fs::write(&draft, serde_json::to_string_pretty(running)?)?;
        fs::rename(draft, self.server_file())
    }

    /// Takes the announcement back.
    pub fn withdraw(&self) {
        if let Err(cause) = fs::remove_file(self.server_file()) {
            tracing::warn!(%cause, "could not remove server.json");
        }
    }

    fn server_file(&self) -> PathBuf {
        self.0.join("server.json")
    }
}
