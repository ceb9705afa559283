//! A bounded queue of log lines before a writer that may be slow, stuck or broken.
//!
//! `tracing-appender` does not serve here: at the end of a process its guard prints to standard output when
//! the writer is stuck, and that may block or panic in turn.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};

use tracing_subscriber::fmt::MakeWriter;

/// The interval at which a flush tries a full queue again.
const FLUSH_POLL: Duration = Duration::from_millis(5);

enum Entry {
    Line(Vec<u8>),
    /// Answered when all entries before it are written.
    Mark(SyncSender<()>),
}

/// The sending end of the queue. Writing to it never fails and never waits. Clones share the queue.
#[derive(Clone)]
pub(super) struct Lines {
    queue: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
}

impl Lines {
    /// Creates a queue of at most `lines_max` lines, and the thread that writes them.
    pub(super) fn to(writer: impl Write + Send + 'static, lines_max: usize) -> Self {
        let (queue, entries) = mpsc::sync_channel(lines_max);
        let lines = Self { queue, dropped: Arc::default() };
        let dropped = lines.dropped.clone();
        thread::spawn(move || write(writer, &entries, &dropped));
        lines
    }

    /// Waits until all lines so far are written, for `max` at most.
    pub(super) fn flush(&self, max: Duration) {
        let deadline = Instant::now() + max;
        let (written, all_written) = mpsc::sync_channel(1);
        let mut mark = Entry::Mark(written);
        while let Err(TrySendError::Full(again)) = self.queue.try_send(mark) {
            if Instant::now() >= deadline {
                return;
            }
            mark = again;
            thread::sleep(FLUSH_POLL);
        }
        let _in_time = all_written.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Entry::Line(line.to_vec())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

fn write(mut writer: impl Write, entries: &Receiver<Entry>, dropped: &AtomicU64) {
    for entry in entries {
        match entry {
            Entry::Mark(written) => {
                let _gave_up = written.try_send(());
            }
            Entry::Line(line) => match writer.write_all(&line) {
                // The count is logged once a line was written: before that, the report would be dropped as
                // well.
                Ok(()) => match dropped.swap(0, Ordering::Relaxed) {
                    0 => {}
                    lines => {
                        tracing::warn!(lines, "log lines were dropped: standard error did not take them")
                    }
                },
                Err(_) => {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    /// A writer into memory that waits for the test's gate, or always fails.
    #[derive(Clone)]
    struct Slow {
        written: Arc<Mutex<Vec<u8>>>,
        gate: Arc<Mutex<()>>,
        fails: bool,
    }

    impl Slow {
        fn new(fails: bool) -> Self {
            Self { written: Arc::default(), gate: Arc::default(), fails }
        }
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _open = self.gate.lock().unwrap();
            if self.fails {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stuck_writer_delays_neither_the_caller_nor_the_end_of_the_process() {
        let slow = Slow::new(false);
        let mut lines = Lines::to(slow.clone(), 4);
        let stuck = slow.gate.lock().unwrap();
        for number in 0..20 {
            lines.write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        lines.flush(Duration::from_millis(20)); // returns although nothing was written
        let dropped = lines.dropped.load(Ordering::Relaxed);
        assert!((15..=16).contains(&dropped), "four wait, and at most one is being written: {dropped}");
        drop(stuck);
        lines.flush(LONG);
        let written = String::from_utf8(slow.written.lock().unwrap().clone()).unwrap();
        assert!(written.starts_with("0\n1\n2\n3\n"), "queued lines are written in order: {written:?}");
        assert_eq!(lines.dropped.load(Ordering::Relaxed), 0, "the count was logged");
    }

    #[test]
    fn a_failing_writer_is_ignored_and_its_lines_are_counted() {
        let mut lines = Lines::to(Slow::new(true), 4);
        for number in 1..=3 {
            lines.write_all(b"lost\n").unwrap();
            lines.flush(LONG);
            assert_eq!(lines.dropped.load(Ordering::Relaxed), number);
        }
    }
}
