//! Files of events, in two formats.

use infra::Failure;
use schema::body;
use serde::Deserialize;
use uuid::Uuid;

use super::spreadsheet;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An event in JSON on each line.
    Ndjson,
    /// RFC 4180, with a header.
    Csv,
}

/// A file that grows event by event.
#[derive(Debug)]
pub struct File {
    format: Format,
    bytes: Vec<u8>,
    /// The length of the file's beginning, which holds no event.
    head: usize,
}

/// An event that stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Event {
    pub(super) commit: Uuid,
    pub(super) seq: u64,
}

impl Format {
    pub const ALL: [Self; 2] = [Self::Ndjson, Self::Csv];

    /// The format's name, and the ending of file names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// The event in a line of a file. `None` for the header, and for a line that is cut off or of another format.
    pub(super) fn event(self, line: &str) -> Option<Event> {
        match self {
            Self::Ndjson => serde_json::from_str(line).ok(),
            Self::Csv => {
                let (commit, seq) = spreadsheet::read(line)?;
                Some(Event { commit: commit.parse().ok()?, seq: seq.parse().ok()? })
            }
        }
    }
}

impl File {
    #[must_use]
    pub fn new(format: Format) -> Self {
        let bytes = match format {
            Format::Ndjson => Vec::new(),
            Format::Csv => spreadsheet::HEAD.as_bytes().to_vec(),
        };
        Self { format, head: bytes.len(), bytes }
    }

    /// Adds an event, unless the file would become longer than `bytes_max`. The first event always fits. Returns
    /// whether the event was added.
    ///
    /// # Errors
    /// The event cannot be written.
    pub fn add(&mut self, event: &body::Event, bytes_max: usize) -> Result<bool, Failure> {
        let line = match self.format {
            Format::Ndjson => json(event)? + "\n",
            Format::Csv => spreadsheet::line(event, &json(&event.data)?)?,
        };
        let fits = self.bytes.len() == self.head || self.bytes.len() + line.len() <= bytes_max;
        if fits {
            self.bytes.extend_from_slice(line.as_bytes());
        }
        Ok(fits)
    }

    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file without its beginning, to follow another file.
    #[must_use]
    pub fn events(&self) -> &[u8] {
        self.bytes.get(self.head..).unwrap_or_default()
    }
}

/// A value in JSON, on one line. Programs that split texts into lines at any of Unicode's line ends find none in it.
fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value).map_err(|cause| Failure::broken("write an event", cause))?;
    // Outside of strings JSON has none of these characters.
    Ok(text.replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}
