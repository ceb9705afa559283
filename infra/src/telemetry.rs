//! Logs: one line per thing handled, on standard error, without personal data.
//!
//! Logging never decides: a line that cannot be written is lost, and the request that it is about goes on.

mod lines;

use std::{
    io::{self, Write as _},
    panic,
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

use tracing_subscriber::{EnvFilter, fmt, fmt::MakeWriter};

use self::lines::Lines;

/// For how long the end of a process waits for its last lines to be written.
const FLUSH_MAX: Duration = Duration::from_secs(1);

/// Lines that wait for standard error to be read. One is some 200 bytes, at most a few KB.
const LINES_MAX: usize = 4_096;

/// The queue of lines behind [`init_in_background`].
static LINES: OnceLock<Lines> = OnceLock::new();

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For a person at a terminal.
    Text,
    /// For CloudWatch and similar services.
    Json,
}

/// Starts logging; each line is written before the caller goes on. This is for lambdas: their process stands
/// still between two requests, and their standard error is always read. `RUST_LOG` chooses what is logged; by
/// default this project's own lines and the warnings of others.
pub fn init(style: Style) {
    subscribe(style, || Ignoring(io::stderr()));
}

/// Starts logging through a bounded queue that a thread of its own empties, so that a standard error that is
/// closed, full or not read stops nothing. Panics are logged the same way. What the queue cannot take is
/// dropped; the log says how many lines.
pub fn init_in_background(style: Style) {
    subscribe(style, LINES.get_or_init(|| Lines::to(stderr(), LINES_MAX)).clone());
    panic::set_hook(Box::new(|panicked| {
        tracing::error!(panic = %panicked, "a thread panicked");
        flush(); // a release build aborts right after this
    }));
}

/// Waits up to a second until the lines so far are written: for the end of a process that logs in the
/// background.
pub fn flush() {
    if let Some(lines) = LINES.get() {
        lines.flush(FLUSH_MAX);
    }
}

/// Writes text to standard error for the person at the terminal, and gives up after a while when nothing
/// reads it.
pub fn tell(text: String) {
    let (done, written) = mpsc::channel();
    thread::spawn(move || {
        let _unread = stderr().write_all(text.as_bytes());
        let _gave_up = done.send(());
    });
    let _in_time = written.recv_timeout(FLUSH_MAX);
}

fn subscribe<W>(style: Style, writer: W)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,aws_config=warn,lambda_runtime=warn,dynoxide=error"));
    // The subscriber would report its own errors with a macro that panics when standard error is closed.
    let builder =
        fmt().with_env_filter(filter).with_writer(writer).with_target(false).log_internal_errors(false);
    // A second subscriber is refused: the first one decides.
    let _already_started = match style {
        Style::Text => builder.compact().try_init(),
        Style::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Standard error without the lock of the standard library: a thread that is stuck in a write would hold it.
fn stderr() -> Box<dyn io::Write + Send> {
    use std::os::fd::AsFd as _;
    match io::stderr().as_fd().try_clone_to_owned() {
        Ok(own) => Box::new(std::fs::File::from(own)),
        Err(_) => Box::new(io::sink()),
    }
}

/// A writer whose errors are ignored.
struct Ignoring<W>(W);

impl<W: io::Write> io::Write for Ignoring<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _failed = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _failed = self.0.flush();
        Ok(())
    }
}
