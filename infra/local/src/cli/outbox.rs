//! `waitlist outbox`: the mails and texts that the local backend does not send.

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

use super::{Failed, say};
use crate::data_dir::DataDir;

/// How often the directory's modification time is looked at.
const POLL: Duration = Duration::from_millis(500);

/// For how many more looks the directory is read after a change: file systems write times in steps of up to 2
/// s, so a second change may leave the same time as the first.
const LOOKS_AFTER_CHANGE: u32 = 5;

#[derive(Debug, Args)]
pub(super) struct Outbox {
    /// Show what there is, and then each message as it comes; Ctrl-C ends it.
    #[arg(long)]
    follow: bool,
}

/// Prints a line for each message, the oldest first: time, kind, channel, recipient, the text or a mail's
/// subject, and the file, which holds a mail's text. As JSON, an object a line. Messages that SES or SNS
/// carry are not here.
pub(super) async fn show(data_dir: &Path, outbox: &Outbox, json: bool) -> Result<(), Failed> {
    let directory = DataDir::existing(data_dir)?.outbox();
    let messages = messenger::Outbox::new(directory.clone(), Clock::system());
    let mut seen = HashSet::new();
    let mut print_new = || -> Result<usize, Failed> {
        let read = messages.new_entries(&mut seen);
        let entries = read.map_err(|cause| format!("read the outbox {}: {cause}", directory.display()))?;
        entries.iter().try_for_each(|entry| say(json, &line(entry), &json!(entry)))?;
        Ok(entries.len())
    };
    if !outbox.follow {
        let is_silent = print_new()? == 0 && !json;
        return if is_silent { say(json, "no messages", &json!(null)) } else { Ok(()) };
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
    let said = subject.as_ref().unwrap_or(body);
    format!("{at}  {kind}  {channel}  {to}  {said}  {}", file.display())
}

/// Notices changes of a directory by its modification time, so that its files need not be read to find out.
struct Changes {
    directory: PathBuf,
    modified: Option<SystemTime>,
    looks_left: u32,
}

impl Changes {
    fn of(directory: PathBuf) -> Self {
        Self { directory, modified: None, looks_left: LOOKS_AFTER_CHANGE }
    }

    /// Whether the directory changed since the last look, or so shortly before it that its time does not
    /// tell.
    fn may_be_there(&mut self) -> bool {
        let modified = fs::metadata(&self.directory).and_then(|found| found.modified()).ok();
        if modified != self.modified {
            (self.modified, self.looks_left) = (modified, LOOKS_AFTER_CHANGE);
            return true;
        }
        let looks_left = self.looks_left;
        self.looks_left = looks_left.saturating_sub(1);
        looks_left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_read_when_it_changed_and_not_for_ever_after() {
        let parent = tempfile::tempdir().unwrap();
        let outbox = parent.path().join("outbox");
        let mut changes = Changes::of(outbox.clone());
        let reads = |changes: &mut Changes| (0..100).filter(|_| changes.may_be_there()).count();
        assert!(reads(&mut changes) < 10, "it is not there yet");
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
