//! Makes up one visit: decides commands at given times, and chains their commits.

use infra::{
    Failure,
    log::{Aggregate as _, Decider as _},
    vault::SubjectKey,
};
use schema::{
    Actor, Commit, Fact, Problem, StreamId, Time, WaiteeId,
    commit::{Author, Tail},
    id::Component,
    message::{Kind, MessageId, Skip},
    value::{Name, Note, PartySize, Reason},
    waitee::{Details, Event, JoinedBy, Party, Why},
};
use uuid::Uuid;

use super::{
    Guest, Scene,
    plan::{Step, Timed},
};
use crate::{
    delivery,
    waitee::{Command, HostCommand, Join, Waitee},
    waitlist::Waitlist,
};

const GIVEN_NAMES: [&str; 24] = [
    "Ana", "Ben", "Cleo", "Dmitri", "Esra", "Fatou", "Grace", "Hiro", "Ines", "Jonas", "Kwame", "Lucía",
    "Mei", "Nadia", "Omar", "Priya", "Quentin", "Rosa", "Sven", "Tariq", "Uma", "Viktor", "Wanda", "Zoë",
];
const FAMILY_NAMES: [&str; 16] = [
    "Alvarez", "Becker", "Chen", "Diallo", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Jensen", "Kaya",
    "Lopez", "Müller", "Nguyen", "Okafor", "Singh",
];
const NOTES: [&str; 4] = ["high chair", "by the window", "birthday", "allergic to nuts"];
const REASONS: [&str; 3] = ["changed their mind", "found another place", "did not answer"];

/// The time from a call to the event that records that its message was skipped.
const SKIP_AFTER_MS: i64 = 1_500;

/// A visit in the making.
pub(super) struct Past<'a> {
    scene: &'a Scene,
    guest: Guest,
    key: &'a SubjectKey,
    random: &'a mut fastrand::Rng,
    state: Waitee,
    commits: Vec<Commit>,
}

/// A UUIDv7 of this time.
pub(super) fn id(random: &mut fastrand::Rng, at: Time) -> Uuid {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(at.millis()).unwrap_or(0), &bytes).into_uuid()
}

impl<'a> Past<'a> {
    pub(super) fn of(
        scene: &'a Scene,
        guest: Guest,
        key: &'a SubjectKey,
        random: &'a mut fastrand::Rng,
    ) -> Self {
        Self { scene, guest, key, random, state: Waitee::default(), commits: Vec::new() }
    }

    pub(super) fn commits(self) -> Vec<Commit> {
        self.commits
    }

    pub(super) fn join(&mut self) -> Result<(), Failure> {
        let join = self.joining()?;
        self.commit(self.host(), self.guest.joined_at, &[join])
    }

    /// Joins and leaves in one commit.
    pub(super) fn join_and_leave(&mut self) -> Result<(), Failure> {
        let commands = [self.joining()?, Command::Host(HostCommand::Leave(Why::default()))];
        self.commit(self.host(), self.guest.joined_at, &commands)
    }

    /// Takes the steps up to the end of the scene.
    pub(super) fn follow(&mut self, steps: &[Timed]) -> Result<(), Failure> {
        let mut at = self.guest.joined_at;
        for (after_ms, step) in steps {
            at = at.plus_millis(*after_ms);
            if at > self.scene.until {
                return Ok(());
            }
            let command = self.command(*step)?;
            self.commit(self.host(), at, &[Command::Host(command)])?;
            if *step == Step::Call {
                at = at.plus_millis(SKIP_AFTER_MS);
                self.skip_message(at)?;
            }
        }
        Ok(())
    }

    fn host(&self) -> Author {
        Author {
            tenant: self.scene.account,
            actor: Actor::User(self.scene.account),
            command: None,
            correlation: String::new(),
            causation: None,
        }
    }

    fn joining(&mut self) -> Result<Command, Failure> {
        let Self { scene, key, random, .. } = self;
        let stream = StreamId::from(self.guest.id);
        let mut pick = |texts: &[&'static str]| texts[random.usize(..texts.len())];
        let name = format!("{} {}", pick(&GIVEN_NAMES), pick(&FAMILY_NAMES));
        let note = pick(&NOTES);
        let (with_note, size) = (random.u8(0..100) < 15, random.i64(1..=8));
        let name = Name::parse(&name).map_err(|invalid| made_up(self.guest.id, invalid))?;
        let size = PartySize::parse(size).map_err(|invalid| made_up(self.guest.id, invalid))?;
        let note = Note::parse(note).map_err(|invalid| made_up(self.guest.id, invalid))?;
        let party = Party {
            note: with_note.then(|| key.seal(stream, &note)),
            ..Party::new(key.seal(stream, &name), size)
        };
        let list = Waitlist::Kept(scene.state.clone());
        Ok(Command::Join(Join { id: scene.list, list, active: 0, party, by: JoinedBy::Host }))
    }

    fn command(&mut self, step: Step) -> Result<HostCommand, Failure> {
        let list = Waitlist::Kept(self.scene.state.clone());
        Ok(match step {
            Step::Resize => {
                let size = self.state.0.as_ref().map_or(1, |visit| i64::from(visit.party.party_size.get()));
                let size =
                    PartySize::parse(size % 8 + 1).map_err(|invalid| made_up(self.guest.id, invalid))?;
                HostCommand::Change(Details { party_size: Some(size), ..Details::default() })
            }
            Step::Call => HostCommand::Call { list },
            Step::Confirm => HostCommand::Confirm(Why::default()),
            Step::Seat => HostCommand::Seat(Why::default()),
            Step::Leave => HostCommand::Leave(Why::default()),
            Step::Remove => HostCommand::Remove(self.reason()?),
            Step::NoShow => HostCommand::NoShow(Why::default()),
            Step::Restore => HostCommand::Restore { list, why: Why::default() },
        })
    }

    fn reason(&mut self) -> Result<Why, Failure> {
        let reason = REASONS[self.random.usize(..REASONS.len())];
        let reason = Reason::parse(reason).map_err(|invalid| made_up(self.guest.id, invalid))?;
        Ok(Why { reason: Some(self.key.seal(self.guest.id.into(), &reason)) })
    }

    /// Records that the called guest left no address, as the delivery does.
    fn skip_message(&mut self, at: Time) -> Result<(), Failure> {
        let Some(call) = self.commits.last() else { return Ok(()) };
        let message = MessageId { kind: Kind::TableReady, cause: call.seq };
        let author = call.as_cause(call.seq, Actor::System(Component::Delivery));
        let skip = delivery::Command::Skip { message, attempt: None, reason: Skip::NoAddress };
        self.commit(author, at, &[Command::Deliver(skip)])
    }

    /// Decides commands at a time, and chains one commit of their events.
    fn commit(&mut self, author: Author, at: Time, commands: &[Command]) -> Result<(), Failure> {
        let stream = StreamId::from(self.guest.id);
        let tail = self.commits.last().map_or(Tail::EMPTY, Commit::tail);
        let at = tail.now(at);
        let mut events: Vec<Event> = Vec::new();
        for command in commands {
            for event in self.state.decide(command, at).map_err(Problem::from)? {
                let seq = tail.seq + 1 + events.len() as u64;
                let fact = Fact { stream, seq, at, tenant: self.scene.account, event: event.clone() };
                self.state = std::mem::take(&mut self.state).evolve(&fact);
                events.push(event);
            }
        }
        if events.is_empty() {
            return Ok(());
        }
        let correlation = match author.correlation {
            none if none.is_empty() => id(self.random, at).to_string(),
            known => known,
        };
        let author = Author { correlation, ..author };
        let commit = Commit::new(stream, &tail, at, id(self.random, at), &author, &events);
        self.commits.push(commit.map_err(|cause| made_up(self.guest.id, cause))?);
        Ok(())
    }
}

fn made_up(guest: WaiteeId, cause: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::broken(format!("make up the visit {guest}"), cause)
}
