//! `waitlist outbox`: shows the mails and texts that the local backend writes to files instead of sending
//! them.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use clap::Args;
use infra::{
    Clock,
    messenger::{self, Entry},
};
use serde_json::json;

use super::{Failed, print};
use crate::data_dir::DataDir;

/// The interval at which the directory's modification time is read.
const POLL: Duration = Duration::from_millis(500);

/// How often the directory is read again after a change. File systems store times in steps of up to 2 s, so a
/// second change may leave the same time as the first.
const READS_AFTER_CHANGE: u32 = 5;

#[derive(Debug, Args)]
pub(super) struct Outbox {
    /// Show the messages there are, and then each new one; Ctrl-C ends it.
    #[arg(long)]
    follow: bool,
}

/// Prints a line for each message, oldest first: time, kind, channel, recipient, the text or a mail's
/// subject, and the file, which holds a mail's text. As JSON, one object per line. Messages sent by SES or
/// SNS are not shown.
pub(super) async fn run(data_dir: &Path, outbox: &Outbox, json: bool) -> Result<(), Failed> {
    let directory = DataDir::existing(data_dir)?.outbox();
    let messages = messenger::Outbox::new(directory.clone(), Clock::system());
    let mut seen = HashSet::new();
    let mut print_new = || -> Result<usize, Failed> {
        let read = messages.new_entries(&mut seen);
        let entries = read.map_err(|cause| format!("read the outbox {}: {cause}", directory.display()))?;
        entries.iter().try_for_each(|entry| print(json, &line(entry), &json!(entry)))?;
        Ok(entries.len())
    };
    if !outbox.follow {
        if print_new()? == 0 && !json {
            print(json, "no messages", &json!(null))?;
        }
        return Ok(());
    }
    let mut changes = Changes::of(directory.clone());
    loop {
        if changes.may_be_there() {
            print_new()?;
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
        }
    }
}

fn line(entry: &Entry) -> String {
    let Entry { at, kind, channel, to, subject, body, file, .. } = entry;
    let content = subject.as_ref().unwrap_or(body);
    format!("{at}  {kind}  {channel}  {to}  {content}  {}", file.display())
}

/// Detects changes of a directory by its modification time, so that its files are read only after a change.
struct Changes {
    directory: PathBuf,
    modified: Option<SystemTime>,
    reads_left: u32,
}

impl Changes {
    fn of(directory: PathBuf) -> Self {
        Self { directory, modified: None, reads_left: READS_AFTER_CHANGE }
    }

    /// Whether the directory changed since the last call, or so recently that its time may not show it.
    fn may_be_there(&mut self) -> bool {
        let modified = fs::metadata(&self.directory).and_then(|found| found.modified()).ok();
        if modified != self.modified {
            (self.modified, self.reads_left) = (modified, READS_AFTER_CHANGE);
            return true;
        }
        let reads_left = self.reads_left;
        self.reads_left = reads_left.saturating_sub(1);
        reads_left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_read_after_each_change_and_not_for_ever() {
        let parent = tempfile::tempdir().unwrap();
        let outbox = parent.path().join("outbox");
        let mut changes = Changes::of(outbox.clone());
        let reads = |changes: &mut Changes| (0..100).filter(|_| changes.may_be_there()).count();
        assert!(reads(&mut changes) < 10, "the directory does not exist yet");
        fs::create_dir(&outbox).unwrap();
        assert!(changes.may_be_there());
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        fs::File::open(&outbox).unwrap().set_modified(long_ago).unwrap();
        for name in ["a.txt", "b.txt"] {
            reads(&mut changes);
            assert_eq!(reads(&mut changes), 0, "nothing changed");
            fs::write(outbox.join(name), "ready").unwrap();
            assert!(changes.may_be_there());
            fs::write(outbox.join(format!("another-{name}")), "ready").unwrap(); // perhaps at the same time
            assert!(changes.may_be_there());
            fs::File::open(&outbox).unwrap().set_modified(long_ago).unwrap();
        }
    }
}
