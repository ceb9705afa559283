//! The place to which an export is written. A file has the name `FILE.part` until it is whole, so that no file under
//! the name FILE lacks events.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use infra::file::probe;
use projections::audit::export::{Format, PART_BYTES_MAX};

use super::super::{
    super::{Failed, print_bytes},
    failed::WriteError,
};

/// The most bytes at the end of a file that are searched for its last event.
const END_BYTES_MAX: u64 = 2 * PART_BYTES_MAX as u64;

pub(super) enum Out {
    File(Draft),
    Standard,
}

/// A file that is not whole yet.
pub(super) struct Draft {
    file: File,
    path: PathBuf,
    /// The length of the whole parts.
    bytes: u64,
}

/// The last event of a draft.
struct Last {
    /// The cursor that continues after it.
    cursor: String,
    /// The length of the draft up to the end of its line.
    end: u64,
}

impl Out {
    /// Looks whether an export can be written to FILE, or continued there with the cursor. Returns the length of the
    /// draft that is kept. Changes nothing.
    ///
    /// # Errors
    /// FILE exists, or the folder cannot be written; the draft exists, and no cursor is given; or the cursor does not
    /// follow the last event of the draft.
    pub(super) fn look(path: Option<&Path>, format: Format, cursor: Option<&str>) -> Result<u64, Failed> {
        let Some(path) = path else { return Ok(0) };
        if path.exists() {
            return Err(format!("{} exists; choose another file", path.display()).into());
        }
        let draft = draft_of(path);
        match cursor {
            Some(cursor) => continued(&draft, format, cursor),
            None => {
                probe(path).map_err(|cause| WriteError { path: path.to_owned(), cause })?;
                vacant(&draft).map(|()| 0)
            }
        }
    }

    /// Begins a file, or continues one behind its last whole line.
    ///
    /// # Errors
    /// As [`Out::look`].
    pub(super) fn open(path: Option<&Path>, format: Format, cursor: Option<&str>) -> Result<Self, Failed> {
        let bytes = Self::look(path, format, cursor)?;
        let Some(path) = path else { return Ok(Self::Standard) };
        let draft = draft_of(path);
        let opened = OpenOptions::new().append(true).create(cursor.is_none()).mode(0o600).open(&draft);
        let file = opened.and_then(|file| file.set_len(bytes).map(|()| file));
        let file = file.map_err(|cause| WriteError { path: draft, cause })?;
        Ok(Self::File(Draft { file, path: path.to_owned(), bytes }))
    }

    /// Writes a part. A file that cannot hold all of it keeps the parts before it.
    pub(super) fn write(&mut self, part: &[u8]) -> Result<(), Failed> {
        match self {
            Self::File(Draft { file, path, bytes }) => {
                if let Err(cause) = file.write_all(part).and_then(|()| file.sync_all()) {
                    let _cut = file.set_len(*bytes);
                    return Err(WriteError { path: draft_of(path), cause }.into());
                }
                *bytes += part.len() as u64;
                Ok(())
            }
            Self::Standard => Ok(print_bytes(part)?),
        }
    }

    /// Gives the whole file its name, and returns the name.
    pub(super) fn finish(self) -> Result<Option<PathBuf>, Failed> {
        let Self::File(Draft { path, .. }) = self else { return Ok(None) };
        if path.exists() {
            return Err(format!(
                "{} exists; the whole export is in {}",
                path.display(),
                draft_of(&path).display()
            )
            .into());
        }
        fs::rename(draft_of(&path), &path).map_err(|cause| WriteError { path: path.clone(), cause })?;
        Ok(Some(path))
    }

    /// Removes a file that has no event.
    pub(super) fn discard(self) {
        if let Self::File(Draft { path, .. }) = self {
            let _kept_if_this_fails = fs::remove_file(draft_of(&path));
        }
    }
}

fn draft_of(path: &Path) -> PathBuf {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".part");
    draft.into()
}

/// Refuses a draft that is not empty.
fn vacant(draft: &Path) -> Result<(), Failed> {
    if !draft.metadata().is_ok_and(|draft| draft.len() > 0) {
        return Ok(());
    }
    let advice = match last(draft)?.and_then(|(line, end)| known(&line, end)) {
        Some((format, Last { cursor, .. })) => {
            format!(
                "of an export that was not finished; continue it with --format {} --cursor {cursor}, or remove it",
                format.as_str()
            )
        }
        None => "without any event; remove it".to_owned(),
    };
    Err(format!("{} exists, {advice}", draft.display()).into())
}

/// The length of the draft that the cursor continues.
fn continued(draft: &Path, format: Format, cursor: &str) -> Result<u64, Failed> {
    let (line, end) =
        last(draft)?.ok_or_else(|| format!("there is no export to continue in {}", draft.display()))?;
    match known(&line, end) {
        Some((of, _)) if of != format => {
            Err(format!("{} was begun with --format {}", draft.display(), of.as_str()).into())
        }
        Some((_, Last { cursor: expected, .. })) if expected != cursor => {
            Err(format!("{} ends at another event; continue it with --cursor {expected}", draft.display())
                .into())
        }
        Some((_, Last { end, .. })) => Ok(end),
        None => Err(format!("the last line of {} holds no event; remove the file", draft.display()).into()),
    }
}

/// The format of a line that holds an event, and its cursor.
fn known(line: &str, end: u64) -> Option<(Format, Last)> {
    let of = |format: Format| format.cursor_after(line).map(|cursor| (format, Last { cursor, end }));
    Format::ALL.into_iter().find_map(of)
}

/// The last line of a file that ends with a newline, and the length of the file up to there. `None` if there is no
/// file, or no such line.
fn last(draft: &Path) -> Result<Option<(String, u64)>, WriteError> {
    let read = || -> io::Result<Option<(String, u64)>> {
        let mut file = File::open(draft)?;
        let start = file.metadata()?.len().saturating_sub(END_BYTES_MAX);
        file.seek(SeekFrom::Start(start))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end)?;
        let line_end = end.iter().rposition(|byte| *byte == b'\n');
        Ok(line_end.map(|at| {
            let begin = end[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
            (String::from_utf8_lossy(&end[begin..=at]).into_owned(), start + at as u64 + 1)
        }))
    };
    match read() {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map_err(|cause| WriteError { path: draft.to_owned(), cause }),
    }
}
