//! Writes logs to standard error: one line for each handled request, message or command, without personal
//! data. Lines about a request, or about an event that followed from it, carry its correlation id.
//!
//! A line that cannot be written is lost; logging never fails or delays the work that it reports.

mod lines;
pub mod metrics;

use std::{
    io::{self, Write as _},
    panic,
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

use schema::commit::correlation_of;
use tracing::{Span, info_span};
use tracing_subscriber::{EnvFilter, fmt, fmt::MakeWriter};

use self::lines::Lines;

/// The longest time for which a process waits at its end until its last lines are written.
const FLUSH_MAX: Duration = Duration::from_secs(1);

/// The number of lines that wait while standard error is not read. A line has about 200 bytes, at most a few
/// KB.
const LINES_MAX: usize = 4_096;

/// The queue of lines behind [`init_in_background`].
static LINES: OnceLock<Lines> = OnceLock::new();

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For a person at a terminal.
    Text,
    /// For CloudWatch and similar services.
    Json,
}

/// Starts logging for lambdas. Each line is written before the caller continues, because a lambda's process
/// is frozen between two requests, and its standard error is always read. `RUST_LOG` chooses what is logged;
/// the default is this project's own lines and the warnings of dependencies.
pub fn init(style: Style) {
    subscribe(style, || Ignoring(io::stderr()));
}

/// Starts logging through a bounded queue that a thread empties, so that a standard error that is closed,
/// full or not read stops nothing. Panics are logged the same way. Lines that do not fit into the queue are
/// dropped and counted in the log.
pub fn init_in_background(style: Style) {
    subscribe(style, LINES.get_or_init(|| Lines::to(stderr(), LINES_MAX)).clone());
    panic::set_hook(Box::new(|panicked| {
        tracing::error!(panic = %panicked, "a thread panicked");
        flush(); // a release build aborts right after this
    }));
}

/// The span of work that a request asked for, or that followed from one. Its log lines carry the request's id.
#[must_use]
pub fn correlated(request_id: &str) -> Span {
    if request_id.is_empty() {
        return Span::none();
    }
    info_span!("correlated", correlation = correlation_of(request_id))
}

/// Waits up to a second until all lines so far are written. For the end of a process that logs in the
/// background.
pub fn flush() {
    if let Some(lines) = LINES.get() {
        lines.flush(FLUSH_MAX);
    }
}

/// Writes text to standard error for a person at the terminal. Gives up after a second if standard error is
/// not read.
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
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        EnvFilter::new(
            "info,aws_config=warn,lambda_runtime=warn,dynoxide=error,metrics_cloudwatch_embedded=off",
        )
    });
    // The subscriber would report its own errors with a macro that panics when standard error is closed.
    let builder =
        fmt().with_env_filter(filter).with_writer(writer).with_target(false).log_internal_errors(false);
    // A second call has no effect: the first subscriber stays.
    let _already_started = match style {
        Style::Text => builder.compact().try_init(),
        Style::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
}

/// Opens standard error without the standard library's lock, which a thread stuck in a write would hold.
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
