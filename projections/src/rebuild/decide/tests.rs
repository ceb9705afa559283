mod size;

use std::collections::BTreeSet;

use infra::log::Aggregate as _;
use proptest::prelude::*;
use schema::{
    DomainEvent as _, Fact, StreamId,
    projection::{Name, REBUILDS_MAX, Retired},
};

use super::*;

const OWNER: UserId = UserId(Uuid::from_u128(9));

fn at(ms: i64) -> Time {
    Time::from_millis(ms)
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn request(number: u128) -> Command {
    Command::Request(Request {
        id: id(number),
        by: Actor::User(OWNER),
        reason: None,
        promote: Promote::Auto,
        write_units_per_second: None,
        command: None,
    })
}

fn prepare(number: u128) -> Command {
    Command::Prepare { rebuild: id(number), scans: 2, verifications: 1 }
}

fn finish(number: u128, phase: Phase, segment: u32, found: Report) -> Command {
    Command::FinishSegment { rebuild: id(number), phase, segment, done: Done::default(), found }
}

fn promote(number: u128) -> Command {
    Command::Promote { rebuild: id(number), by: None }
}

fn cancel(number: u128) -> Command {
    Command::Cancel { rebuild: id(number), by: Some(OWNER) }
}

const ROLLBACK: Command = Command::Rollback { by: Some(OWNER) };
fn expire(generation: u64) -> Command {
    Command::Expire { generation }
}

const RETIRE: Command = Command::Retire { by: None };

fn scanned(number: u128) -> [Command; 2] {
    [0, 1].map(|segment| finish(number, Phase::Scan, segment, Report::default()))
}

fn verified(number: u128, found: Report) -> Command {
    finish(number, Phase::Verify, 0, found)
}

/// The commands that make a rebuild ready.
fn made(number: u128) -> Vec<Command> {
    let mut commands = vec![request(number), prepare(number)];
    commands.extend(scanned(number));
    commands.push(verified(number, Report::default()));
    commands
}

struct World {
    projection: Projection,
    now: i64,
}

impl World {
    fn after(commands: impl IntoIterator<Item = Command>) -> Self {
        let mut world = Self { projection: Projection::default(), now: 0 };
        for command in commands {
            world.run(&command).unwrap_or_else(|refusal| panic!("{command:?}: {refusal:?}"));
        }
        world
    }

    /// Decides a command and applies its events. Returns their types.
    fn run(&mut self, command: &Command) -> Result<Vec<&'static str>, Refusal> {
        self.now += 1_000;
        let events = self.projection.decide(command, at(self.now))?;
        let types = events.iter().map(Event::type_name).collect();
        for event in events {
            let (stream, tenant): (StreamId, _) = (Name::Waitees.stream(), UserId(Uuid::nil()));
            let fact = Fact { stream, seq: self.projection.seq + 1, at: at(self.now), tenant, event };
            self.projection = std::mem::take(&mut self.projection).evolve(&fact);
        }
        Ok(types)
    }

    fn stage(&self, number: u128) -> Stage {
        self.projection.state.rebuild(id(number)).unwrap().stage
    }
}

#[test]
fn a_rebuild_that_is_verified_and_promoted_is_live_and_the_former_generation_stays() {
    let mut world = World::after(made(1));
    assert_eq!((world.stage(1), world.projection.state.live), (Stage::Ready, 0));
    assert_eq!(world.run(&promote(1)).unwrap(), ["projection.promoted"]);
    let state = &world.projection.state;
    assert_eq!((state.live, state.previous.unwrap().generation), (1, 0));
    assert_eq!(state.previous.unwrap().until, at(world.now + PREVIOUS_KEPT_MS));
    assert_eq!(world.run(&promote(1)).unwrap(), [""; 0], "a repeat changes nothing");
}

#[test]
fn a_generation_has_the_number_of_the_event_that_requested_it() {
    let mut world = World::after(made(1));
    world.run(&promote(1)).unwrap();
    let next = world.projection.seq + 1;
    world.run(&request(2)).unwrap();
    assert_eq!(world.projection.state.rebuild(id(2)).unwrap().generation, next);
}

#[test]
fn only_one_rebuild_runs_at_a_time() {
    let mut world = World::after([request(1)]);
    assert_eq!(world.run(&request(2)), Err(Refusal::AlreadyRunning(id(1))));
    world.run(&cancel(1)).unwrap();
    assert_eq!(world.run(&request(2)).unwrap(), ["projection.rebuild-requested"]);
}

#[test]
fn a_repeated_request_is_recognised_by_its_key() {
    let key = |key, request| {
        let tag = |text: &str| schema::commit::Tag::of(&[text.as_bytes()]);
        projection::Command::new(tag(key), tag(request))
    };
    let keyed = |number, command| {
        let Command::Request(request) = request(number) else { unreachable!() };
        Command::Request(Request { command: Some(command), ..request })
    };
    let mut world = World::after([keyed(1, key("a", "x"))]);
    assert_eq!(world.run(&keyed(2, key("a", "x"))).unwrap(), [""; 0]);
    assert_eq!(world.run(&keyed(2, key("a", "y"))), Err(Refusal::KeyReused));
    assert_eq!(world.run(&keyed(2, key("b", "x"))), Err(Refusal::AlreadyRunning(id(1))));
}

#[test]
fn a_candidate_with_faults_is_rejected_and_its_generation_retired() {
    let mut world = World::after(made(1).into_iter().take(4));
    let found = Report { missing: 1, ..Report::default() };
    let types = world.run(&verified(1, found)).unwrap();
    assert_eq!(types, ["projection.segment-finished", "projection.verified", "projection.rejected"]);
    assert_eq!(world.projection.state.retired, [Retired { generation: 1, at: at(world.now) }]);
    assert_eq!(world.run(&promote(1)), Err(Refusal::NotReady(Stage::Rejected)));
}

#[test]
fn a_candidate_that_differs_from_a_damaged_live_row_waits_for_a_person() {
    let mut world = World::after(made(1).into_iter().take(4));
    world.run(&verified(1, Report { drift: 1, ..Report::default() })).unwrap();
    assert_eq!(world.stage(1), Stage::Ready);
    world.run(&promote(1)).unwrap();
}

#[test]
fn a_rollback_makes_the_former_generation_live_and_can_be_undone() {
    let mut world = World::after(made(1));
    assert_eq!(world.run(&ROLLBACK), Err(Refusal::NoFormerGeneration));
    world.run(&promote(1)).unwrap();
    world.run(&ROLLBACK).unwrap();
    assert_eq!((world.projection.state.live, world.stage(1)), (0, Stage::RolledBack));
    assert_eq!(world.run(&ROLLBACK).unwrap(), [""; 0], "a repeat changes nothing");
    world.run(&promote(1)).unwrap();
    assert_eq!((world.projection.state.live, world.stage(1)), (1, Stage::Promoted));
    world.run(&RETIRE).unwrap();
    assert_eq!(world.run(&ROLLBACK), Err(Refusal::NoFormerGeneration));
    assert_eq!(world.projection.state.retired.len(), 1);
    assert_eq!(world.run(&Command::Drop { generation: 0 }).unwrap(), ["projection.dropped"]);
    assert_eq!(world.run(&Command::Drop { generation: 0 }).unwrap(), [""; 0]);
}

#[test]
fn a_former_generation_is_retired_by_itself_once_its_time_is_over() {
    let mut world = World::after(made(1));
    world.run(&promote(1)).unwrap();
    let promoted_at = world.now;
    world.now = promoted_at + PREVIOUS_KEPT_MS - 60_000;
    assert_eq!(world.run(&expire(0)).unwrap(), [""; 0], "too early");
    world.run(&ROLLBACK).unwrap();
    world.now = promoted_at + PREVIOUS_KEPT_MS;
    for other in [0, 1] {
        assert_eq!(
            world.run(&expire(other)).unwrap(),
            [""; 0],
            "the time begins anew with a change of roles"
        );
    }
    world.now += PREVIOUS_KEPT_MS;
    assert_eq!(world.run(&expire(0)).unwrap(), [""; 0], "another generation");
    assert_eq!(world.run(&expire(1)).unwrap(), ["projection.retired"]);
    assert_eq!(world.run(&expire(1)).unwrap(), [""; 0], "a repeat changes nothing");
    assert_eq!(world.projection.state.retired, [Retired { generation: 1, at: at(world.now - 1_000) }]);
}

#[test]
fn a_worker_that_comes_too_late_changes_nothing() {
    let mut world = World::after(made(1));
    for late in [prepare(1), scanned(1)[0].clone(), verified(1, Report::default())] {
        assert_eq!(world.run(&late).unwrap(), [""; 0], "{late:?}");
    }
    world.run(&cancel(1)).unwrap();
    assert_eq!(world.run(&prepare(1)).unwrap(), [""; 0]);
    assert_eq!(world.run(&finish(7, Phase::Scan, 0, Report::default())).unwrap(), [""; 0]);
}

fn any_command() -> impl Strategy<Value = Command> {
    let number = 1..6_u128;
    prop_oneof![
        number.clone().prop_map(request),
        number.clone().prop_map(prepare),
        (number.clone(), 0..3_u32).prop_map(|(n, segment)| finish(
            n,
            Phase::Scan,
            segment,
            Report::default()
        )),
        (number.clone(), any::<bool>()).prop_map(|(n, is_faulty)| {
            verified(n, Report { extra: u64::from(is_faulty), ..Report::default() })
        }),
        number.clone().prop_map(promote),
        number.prop_map(cancel),
        Just(ROLLBACK),
        Just(RETIRE),
        (0..20_u64).prop_map(expire),
        (0..20_u64).prop_map(|generation| Command::Drop { generation }),
    ]
}

proptest! {
    #[test]
    fn no_generation_is_retired_while_it_has_a_role(commands in prop::collection::vec(any_command(), 1..60)) {
        let mut world = World::after([]);
        let mut gone = BTreeSet::new();
        for command in commands {
            let before = world.projection.state.clone();
            if world.run(&command).is_err() {
                continue;
            }
            let state = &world.projection.state;
            let roles: Vec<u64> = state.roles().all().collect();
            let retired: Vec<u64> = state.retired.iter().map(|retired| retired.generation).collect();
            let distinct: BTreeSet<u64> = roles.iter().chain(&retired).copied().collect();
            prop_assert_eq!(distinct.len(), roles.len() + retired.len(), "{:?}", state);
            prop_assert!(distinct.is_disjoint(&gone), "{:?}", state);
            gone.extend(before.retired.iter().map(|retired| retired.generation).filter(|g| !retired.contains(g)));
            // A generation that had a role has one still, or is retired.
            for generation in before.roles().all() {
                prop_assert!(distinct.contains(&generation), "{generation} was lost: {:?}", state);
            }
            prop_assert!(state.rebuilds.iter().filter(|rebuild| rebuild.stage.is_unfinished()).count() <= 1);
            prop_assert!(state.rebuilds.len() <= REBUILDS_MAX);
        }
    }
}
