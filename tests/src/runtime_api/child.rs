//! The child process: what it writes, and how it ends.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Child,
    task::JoinHandle,
    time::timeout,
};

use super::{FunctionError, Shared, locked};

/// A function that writes more than this in a test is broken: the rest is not kept, and the log says so.
const LOG_BYTES_MAX: usize = 16 * 1024 * 1024;
const LOG_CUT: &str = "(the log was cut here)\n";
/// How long the pipes of an ended child may stay open: only a process that it left behind could hold them.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// How much of the log an error about an ended child quotes.
const QUOTED_LINES: usize = 20;

/// Waits for the child's end, or brings it about, and says how it came.
pub(super) async fn watch_over(mut child: Child, logs: [JoinHandle<()>; 2], shared: Arc<Shared>) {
    let status = tokio::select! {
        status = child.wait() => status,
        () = shared.kill.notified() => {
            child.start_kill().ok(); // It may have ended by itself just now.
            child.wait().await
        }
    };
    // What it wrote last is often why it ended.
    for log in logs {
        timeout(DRAIN_LIMIT, log).await.ok();
    }
    let status = status.map_or_else(|cause| cause.to_string(), |status| status.to_string());
    let last = locked(&shared.log)
        .lines()
        .rev()
        .take(QUOTED_LINES)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect::<Vec<_>>()
        .join("\n");
    shared.end(FunctionError::new(
        "Runtime.ExitError",
        format_args!("the function has ended, {status}\n{last}"),
    ));
    shared.drained.send_replace(true);
}

/// Keeps what the child writes, line by line, so that its two outputs do not cut into each other.
pub(super) async fn keep(output: impl AsyncRead + Unpin, shared: Arc<Shared>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        let mut log = locked(&shared.log);
        if log.len() + line.len() <= LOG_BYTES_MAX {
            log.push_str(&String::from_utf8_lossy(&line));
        } else if !log.ends_with(LOG_CUT) {
            log.push_str(LOG_CUT);
        }
        line.clear();
    }
}
