//! Puts the commits of a scan together into streams.

use infra::log::{InStream, Place, Stored};
use schema::{Commit, StreamId};

/// The commits of one stream that a scan found next to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) stream: StreamId,
    /// The commits, if they are the stream from its first event on, without a gap. Else the stream must be read
    /// from the log.
    pub(super) commits: Option<Vec<Commit>>,
    pub(super) start: Start,
}

/// A place in a scan, between two items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The key of the item before it; `None` at the start of the segment.
    pub(super) after: Option<Place>,
    /// The number of items of this scan before it.
    pub(super) items: u64,
}

/// Collects runs from the items of a scan. It holds one run, the last one, which may be unfinished.
#[derive(Debug)]
pub(super) struct Collector {
    run: Option<Run>,
    reached: Start,
}

impl Collector {
    /// Collects from the items after this place.
    pub(super) fn after(place: Option<Place>) -> Self {
        Self { run: None, reached: Start { after: place, items: 0 } }
    }

    /// Adds the next item. Returns the run that it ends, if it does not belong to that.
    pub(super) fn add(&mut self, item: Stored) -> Option<Run> {
        let Stored { place, of } = item;
        let next = Start { after: Some(place), items: self.reached.items + 1 };
        let start = std::mem::replace(&mut self.reached, next);
        let Some(InStream { stream, commit }) = of else { return self.run.take() };
        match &mut self.run {
            Some(run) if run.stream == stream => {
                run.commits = match (run.commits.take(), commit) {
                    (Some(mut commits), Some(commit)) if follows(commits.last(), &commit) => {
                        commits.push(commit);
                        Some(commits)
                    }
                    (_, _) => None,
                };
                None
            }
            _ => {
                let commits = commit.filter(|commit| follows(None, commit)).map(|commit| vec![commit]);
                self.run.replace(Run { stream, commits, start })
            }
        }
    }

    /// The place after the last item.
    pub(super) fn reached(&self) -> &Start {
        &self.reached
    }

    /// The run that more items may belong to.
    pub(super) fn unfinished(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    /// Ends the last run: no item of its stream follows.
    pub(super) fn end(&mut self) -> Option<Run> {
        self.run.take()
    }
}

fn follows(last: Option<&Commit>, commit: &Commit) -> bool {
    commit.seq == last.map_or(0, |last| last.last) + 1 && commit.last >= commit.seq
}

#[cfg(test)]
mod tests;
