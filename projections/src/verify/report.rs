//! The outcome of a verification.

use schema::body::Bad;

/// The damaged streams that are named. The others are counted.
pub(crate) const NAMED_MAX: usize = 100;

/// How far a verification is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub commits: u64,
    pub streams: u64,
    pub bad: u64,
}

/// The outcome of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub progress: Progress,
    /// The damaged streams, at most a hundred of them.
    pub bad: Vec<Bad>,
}

impl Report {
    pub(super) fn damaged(&mut self, bad: Bad) {
        self.progress.bad += 1;
        if self.bad.len() < NAMED_MAX {
            self.bad.push(bad);
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.progress.commits += other.progress.commits;
        self.progress.streams += other.progress.streams;
        self.progress.bad += other.progress.bad;
        let room = NAMED_MAX - self.bad.len();
        self.bad.extend(other.bad.into_iter().take(room));
    }
}
