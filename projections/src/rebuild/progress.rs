//! Decisions on the steps of a rebuild's worker. A worker that comes too late changes nothing.

use schema::{
    Time,
    projection::{Done, Event, Phase, Report, Segments, Stage, State},
};
use uuid::Uuid;

use super::Projection;

impl Projection {
    pub(super) fn prepare(&self, id: Uuid, scans: u32, verifications: u32, now: Time) -> Vec<Event> {
        let Some((mut state, at)) = self.unfinished(id, &[Stage::Requested]) else { return vec![] };
        let rebuild = &mut state.rebuilds[at];
        rebuild.stage = Stage::Prepared;
        rebuild.prepared_at = Some(now);
        rebuild.scanned = Segments::new(scans);
        rebuild.verified = Segments::new(verifications);
        vec![Event::Prepared(state)]
    }

    pub(super) fn finish_segment(
        &self,
        id: Uuid,
        phase: Phase,
        segment: u32,
        done: Done,
        found: &Report,
        now: Time,
    ) -> Vec<Event> {
        let stages: &[Stage] = match phase {
            Phase::Scan => &[Stage::Prepared, Stage::Scanning],
            Phase::Verify => &[Stage::Verifying],
        };
        let Some((mut state, at)) = self.unfinished(id, stages) else { return vec![] };
        let rebuild = &mut state.rebuilds[at];
        let segments = match phase {
            Phase::Scan => &mut rebuild.scanned,
            Phase::Verify => &mut rebuild.verified,
        };
        if segments.is_finished(segment) || segment >= segments.of() {
            return vec![];
        }
        segments.finish(segment);
        let are_finished = segments.are_finished();
        rebuild.done.add(done);
        rebuild.report.add(found.clone());
        if phase == Phase::Scan {
            rebuild.stage = if are_finished { Stage::Verifying } else { Stage::Scanning };
        }
        let mut events = vec![Event::SegmentFinished(state.clone())];
        if phase == Phase::Verify && are_finished {
            state.rebuilds[at].stage = Stage::Ready;
            events.push(Event::Verified(state.clone()));
            if state.rebuilds[at].report.bars() {
                state.give_up(at, Stage::Rejected, now);
                events.push(Event::Rejected(state));
            }
        }
        events
    }

    pub(super) fn expire(&self, generation: u64, now: Time) -> Vec<Event> {
        match self.state.previous {
            Some(former) if former.generation == generation && former.until <= now => self.retire(None, now),
            Some(_) | None => vec![],
        }
    }

    pub(super) fn drop_table(&self, generation: u64) -> Vec<Event> {
        let mut state = self.next(None);
        state.retired.retain(|retired| retired.generation != generation);
        if state.retired.len() == self.state.retired.len() { vec![] } else { vec![Event::Dropped(state)] }
    }

    /// The state that a worker's change starts from, and the place of its rebuild, if that is at one of these
    /// stages. A worker that comes too late changes nothing.
    fn unfinished(&self, id: Uuid, stages: &[Stage]) -> Option<(State, usize)> {
        let at = self.place(id).ok()?;
        stages.contains(&self.state.rebuilds[at].stage).then(|| (self.next(None), at))
    }
}
