//! The data directory: the engine's file, the keys, and where the running server is.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::control::Control;

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
    /// Where its clock is moved, if it was started for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
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

    /// Says where the server is: whole or not at all, so that nobody reads half an address, and to the owner of the files alone.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn announce(&self, running: &Running) -> io::Result<()> {
        let draft = self.0.join("server.json.draft");
        match fs::remove_file(&draft) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {} // what a killed server left may have been open to others
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(serde_json::to_string_pretty(running)?.as_bytes())?;
        fs::rename(draft, self.server_file())
    }

    /// Where a server is, or was when it was killed.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn running(&self) -> io::Result<Option<Running>> {
        let text = match fs::read(self.server_file()) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        Ok(Some(serde_json::from_slice(&text)?))
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
