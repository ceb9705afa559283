//! `waitlist outbox`: mails and texts that nobody carries.

use std::{collections::HashSet, path::Path, time::Duration};

use clap::Args;
use infra::{
    Clock,
    messenger::{self, Entry},
};
use serde_json::json;

use super::{Failed, say};
use crate::data_dir::DataDir;

/// How often the outbox is looked into.
const POLL: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(super) struct Outbox {
    /// Show what there is, and then each message as it comes; Ctrl-C ends it.
    #[arg(long)]
    follow: bool,
}

/// Prints a line for each message, the oldest first: when, what for, how, to whom, and its text or a mail's subject; a mail's text is in
/// its file. As JSON, an object a line with all of it. What is sent by SES or SNS is not here.
pub(super) async fn show(data_dir: &Path, outbox: &Outbox, json: bool) -> Result<(), Failed> {
    let directory = DataDir::existing(data_dir)?.outbox();
    let messages = messenger::Outbox::new(directory.clone(), Clock::system());
    let mut shown = HashSet::new();
    loop {
        let entries = messages
            .entries()
            .map_err(|cause| format!("read the outbox {}: {cause}", directory.display()))?;
        for entry in entries {
            if shown.insert(entry.id.clone()) {
                say(json, &line(&entry), &json!(entry))?;
            }
        }
        if !outbox.follow {
            let is_quiet = json || !shown.is_empty();
            return if is_quiet { Ok(()) } else { say(json, "no messages", &json!(null)) };
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
