//! The child process: its output and its end.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Child,
    task::JoinHandle,
    time::timeout,
};

use super::{FunctionError, Shared, locked};

/// The most output that is kept. No working function writes more in a test.
const LOG_BYTES_MAX: usize = 16 * 1024 * 1024;
const LOG_CUT: &str = "(the rest of the log was dropped)\n";
/// How long to read the output of an ended child, whose pipes a process that it started may keep open.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// How many lines of the log are quoted in the error about an ended child.
const QUOTED_LINES: usize = 20;

/// Waits for the child's end, kills it on request, and reports how it ended.
pub(super) async fn watch_over(mut child: Child, logs: [JoinHandle<()>; 2], shared: Arc<Shared>) {
    let status = tokio::select! {
        status = child.wait() => status,
        () = shared.kill.notified() => {
            child.start_kill().ok(); // it may have ended already
            child.wait().await
        }
    };
    // The last output often explains the end.
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

/// Appends the output to the log line by line, so that standard output and error are not mixed within a line.
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
