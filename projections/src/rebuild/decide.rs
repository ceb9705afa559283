//! Decisions about a projection's generations.

use schema::{
    Actor, Time, UserId,
    projection::{self, Done, Event, Phase, Previous, Promote, Rebuild, Report, Segments, Stage, State},
};
use uuid::Uuid;

use super::{Projection, Refusal};
use crate::Decider;

/// How long the former generation is kept up to date for a rollback: a day.
pub const PREVIOUS_KEPT_MS: i64 = 24 * 3_600 * 1_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Request(Request),
    /// The candidate's table exists; its rebuild takes this many segments of the log and of the rows.
    Prepare {
        rebuild: Uuid,
        scans: u32,
        verifications: u32,
    },
    FinishSegment {
        rebuild: Uuid,
        phase: Phase,
        segment: u32,
        done: Done,
        found: Report,
    },
    Promote {
        rebuild: Uuid,
        by: Option<UserId>,
    },
    Cancel {
        rebuild: Uuid,
        by: Option<UserId>,
    },
    /// Makes the former generation live again.
    Rollback {
        by: Option<UserId>,
    },
    /// Takes its role from the former generation.
    Retire {
        by: Option<UserId>,
    },
    /// Takes its role from this former generation, if its time is over.
    Expire {
        generation: u64,
    },
    /// The table of a retired generation is deleted.
    Drop {
        generation: u64,
    },
}

/// A request for a rebuild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub id: Uuid,
    pub by: Actor,
    pub reason: Option<String>,
    pub promote: Promote,
    pub write_units_per_second: Option<u32>,
    pub command: Option<projection::Command>,
}

impl Decider for Projection {
    type Command = Command;
    type Refusal = Refusal;

    fn decide(&self, command: &Command, now: Time) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Request(request) => self.request(request, now),
            Command::Prepare { rebuild, scans, verifications } => {
                Ok(self.prepare(*rebuild, *scans, *verifications, now))
            }
            Command::FinishSegment { rebuild, phase, segment, done, found } => {
                Ok(self.finish_segment(*rebuild, *phase, *segment, *done, found, now))
            }
            Command::Promote { rebuild, by } => self.promote(*rebuild, *by, now),
            Command::Cancel { rebuild, by } => self.cancel(*rebuild, *by, now),
            Command::Rollback { by } => self.rollback(*by, now),
            Command::Retire { by } => Ok(self.retire(*by, now)),
            Command::Expire { generation } => Ok(self.expire(*generation, now)),
            Command::Drop { generation } => Ok(self.drop_table(*generation)),
        }
    }
}

impl Projection {
    fn request(&self, request: &Request, now: Time) -> Result<Vec<Event>, Refusal> {
        let Request { id, by, reason, promote, write_units_per_second, command } = request.clone();
        let known = |rebuild: &&Rebuild| match (&command, &rebuild.command) {
            (Some(asked), Some(answered)) => asked.has_key_of(answered),
            (None, _) | (_, None) => false,
        };
        if self.state.rebuild(id).is_some() {
            return Ok(vec![]); // an attempt whose answer was lost
        }
        if let Some(repeat) = self.state.rebuilds.iter().find(known) {
            return if repeat.command == command { Ok(vec![]) } else { Err(Refusal::KeyReused) };
        }
        if let Some(running) = self.state.building() {
            return Err(Refusal::AlreadyRunning(running.id));
        }
        let mut state = self.next(user(by));
        state.retire_previous(now);
        state.add(Rebuild {
            id,
            generation: self.seq + 1,
            requested_by: by,
            requested_at: now,
            reason,
            promote,
            write_units_per_second,
            command,
            stage: Stage::Requested,
            prepared_at: None,
            finished_at: None,
            scanned: Segments::default(),
            verified: Segments::default(),
            done: Done::default(),
            report: Report::default(),
        });
        Ok(vec![Event::RebuildRequested(state)])
    }

    fn promote(&self, id: Uuid, by: Option<UserId>, now: Time) -> Result<Vec<Event>, Refusal> {
        let at = self.place(id)?;
        let rebuild = &self.state.rebuilds[at];
        let is_former = self.state.previous.is_some_and(|former| former.generation == rebuild.generation);
        match rebuild.stage {
            Stage::Promoted => return Ok(vec![]),
            Stage::Ready => {}
            Stage::RolledBack if is_former => {}
            stage @ (Stage::Requested
            | Stage::Prepared
            | Stage::Scanning
            | Stage::Verifying
            | Stage::Rejected
            | Stage::Cancelled
            | Stage::RolledBack) => return Err(Refusal::NotReady(stage)),
        }
        let mut state = self.next(by);
        if !is_former {
            state.retire_previous(now);
        }
        state.previous =
            Some(Previous { generation: self.state.live, until: now.plus_millis(PREVIOUS_KEPT_MS) });
        state.live = rebuild.generation;
        state.rebuilds[at].stage = Stage::Promoted;
        state.rebuilds[at].finished_at = Some(now);
        Ok(vec![Event::Promoted(state)])
    }

    fn cancel(&self, id: Uuid, by: Option<UserId>, now: Time) -> Result<Vec<Event>, Refusal> {
        let at = self.place(id)?;
        match self.state.rebuilds[at].stage {
            Stage::Cancelled => return Ok(vec![]),
            stage if !stage.is_unfinished() => return Err(Refusal::Finished(stage)),
            _unfinished => {}
        }
        let mut state = self.next(by);
        state.give_up(at, Stage::Cancelled, now);
        Ok(vec![Event::Cancelled(state)])
    }

    /// A repeat finds the generation that was rolled back as the former one, and changes nothing.
    fn rollback(&self, by: Option<UserId>, now: Time) -> Result<Vec<Event>, Refusal> {
        let former = self.state.previous.ok_or(Refusal::NoFormerGeneration)?;
        let place =
            |generation| self.state.rebuilds.iter().position(|rebuild| rebuild.generation == generation);
        if place(former.generation).is_some_and(|at| self.state.rebuilds[at].stage == Stage::RolledBack) {
            return Ok(vec![]);
        }
        let mut state = self.next(by);
        state.previous =
            Some(Previous { generation: self.state.live, until: now.plus_millis(PREVIOUS_KEPT_MS) });
        state.live = former.generation;
        if let Some(at) = place(self.state.live) {
            state.rebuilds[at].stage = Stage::RolledBack;
            state.rebuilds[at].finished_at = Some(now);
        }
        Ok(vec![Event::RolledBack(state)])
    }

    pub(super) fn retire(&self, by: Option<UserId>, now: Time) -> Vec<Event> {
        if self.state.previous.is_none() {
            return vec![];
        }
        let mut state = self.next(by);
        state.retire_previous(now);
        vec![Event::Retired(state)]
    }

    /// The state that a change starts from.
    pub(super) fn next(&self, by: Option<UserId>) -> State {
        State { by, ..self.state.clone() }
    }

    pub(super) fn place(&self, id: Uuid) -> Result<usize, Refusal> {
        self.state.rebuilds.iter().position(|rebuild| rebuild.id == id).ok_or(Refusal::NotFound)
    }
}

fn user(by: Actor) -> Option<UserId> {
    match by {
        Actor::User(id) => Some(id),
        Actor::Guest(_) | Actor::System(_) => None,
    }
}

#[cfg(test)]
mod tests;
