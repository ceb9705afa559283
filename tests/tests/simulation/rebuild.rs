//! Rebuilds: the new generation equals the fold of the log, whatever the order of the steps, and what differs is
//! named.

mod between;
mod budget;
mod changed;
mod former;
mod interrupted;
mod prepare;
mod quote;
mod throttled;
mod world;

use std::time::Duration;

use projections::rebuild::{
    Bounds, Command, Worker,
    repair::{Repair, Repaired, repair},
};
use proptest::{prelude::*, test_runner::TestRunner};
use schema::{
    id::Category,
    projection::{Finding, Name, Promote, Stage},
};
use serde_json::json;
use waitlist_tests::cases::{cases_up_to, runtime};

use self::world::World;
use crate::{history::History, poison::with};

const CASES: u32 = 6;
/// A case takes a hundred steps and more.
const CASES_MAX: u32 = 300;
/// Each segment is a step. With more of them, most would be empty.
const SEGMENTS_MAX: u32 = 6;

/// Few segments, each of which has several pages.
fn small(segments_max: u32) -> Bounds {
    Bounds { segments_max, page_rows_max: 2, ..Bounds::default() }
}

#[tokio::test]
async fn a_rebuild_makes_a_generation_that_equals_the_fold_of_the_log() {
    let world = World::new(60).await;
    for name in Name::ALL {
        let id = world.request(name, Promote::Auto).await;
        world.run_until(name, Stage::Promoted).await;
        let state = world.state(name).await;
        let rebuild = state.rebuild(id).unwrap();
        assert_eq!((state.live, state.previous.unwrap().generation), (rebuild.generation, 0));
        world.equals_the_log(name, rebuild.generation).await;
        let streams = world.streams_of(name.category()).len() as u64;
        assert_eq!((rebuild.done.rows, rebuild.report.streams), (streams, streams), "{}", name.as_str());
        assert!(!rebuild.report.bars() && rebuild.report.drift == 0, "{:?}", rebuild.report);
    }
}

#[tokio::test]
async fn what_was_planted_in_the_candidate_is_named_and_bars_it() {
    planted(Bounds::default()).await;
}

#[tokio::test]
async fn what_was_planted_is_named_when_segments_have_many_pages() {
    planted(small(2)).await;
}

#[tokio::test]
async fn what_was_planted_is_named_when_each_message_reads_one_page() {
    planted(Bounds { work_max: Duration::ZERO, ..small(2) }).await;
}

/// Plants differences in a candidate, which this worker then verifies.
async fn planted(bounds: Bounds) {
    let world = World::new(40).await;
    let worker = Worker::new(world.stage.backend.clone(), 1).with(bounds);
    let world = world.worked_by(worker);
    let name = Name::Waitees;
    let id = world.request(name, Promote::Auto).await;
    world.run_until(name, Stage::Verifying).await;
    world.pass_minutes(2);
    let generation = world.state(name).await.building().unwrap().generation;
    let streams = world.streams_of(Category::Waitee);
    let candidate = world.table(name, generation);
    candidate.remove(streams[0]).await;
    candidate.remove(streams[2]).await;
    let row = candidate.row(streams[1]).await.unwrap();
    candidate.put(&with(&row, &[("calls", json!(77))])).await;
    let extra = "01920000-0000-7000-8000-0000000000ff";
    candidate.put(&with(&row, &[("id", json!(extra))])).await;
    world.run_until(name, Stage::Rejected).await;
    let state = world.state(name).await;
    let report = &state.rebuild(id).unwrap().report;
    let mut named: Vec<_> =
        report.examples.iter().map(|one| (one.finding, one.stream.id.to_string())).collect();
    let mut expected = [
        (Finding::Extra, extra.to_owned()),
        (Finding::Missing, streams[0].id.to_string()),
        (Finding::Missing, streams[2].id.to_string()),
        (Finding::Wrong, streams[1].id.to_string()),
    ];
    let order = |(finding, id): &(Finding, String)| (format!("{finding:?}"), id.clone());
    named.sort_by_key(order);
    expected.sort_by_key(order);
    assert_eq!(named, expected);
    assert_eq!(report.streams, streams.len() as u64 + 1, "each stream is counted once");
    let wrong = report.examples.iter().find(|example| example.finding == Finding::Wrong).unwrap();
    assert_eq!((wrong.field.as_deref(), &wrong.candidate), (Some("calls"), &json!(77)));
    assert_eq!(state.live, 0);
    world.run_until_dropped(name).await;
    assert!(world.table(name, generation).is_gone().await, "a rejected candidate loses its table");
}

#[tokio::test]
async fn a_damaged_live_row_is_reported_and_waits_for_a_person() {
    let world = World::new(20).await;
    let name = Name::Waitees;
    let stream = world.streams_of(Category::Waitee)[0];
    let live = world.table(name, 0);
    let row = live.row(stream).await.unwrap();
    live.put(&with(&row, &[("calls", json!(77))])).await;
    let id = world.request(name, Promote::Auto).await;
    world.run_until(name, Stage::Ready).await;
    world.run_dry().await;
    let state = world.state(name).await;
    let rebuild = state.rebuild(id).unwrap();
    assert_eq!((rebuild.stage, rebuild.report.drift, rebuild.report.wrong), (Stage::Ready, 1, 0));
    world.execute(name, Command::Promote { rebuild: id, by: None }).await;
    world.equals_the_log(name, rebuild.generation).await;
}

#[tokio::test]
async fn a_live_row_whose_numbers_cannot_be_read_is_repaired_or_reported() {
    let world = World::new(10).await;
    let name = Name::Waitees;
    let stream = world.streams_of(Category::Waitee)[0];
    let live = world.table(name, 0);
    let row = live.row(stream).await.unwrap();
    for damaged in [("seq", json!(null)), ("seq", json!(-1)), ("seq", json!("one")), ("v", json!(null))] {
        live.put(&with(&row, std::slice::from_ref(&damaged))).await;
        let repaired = repair(&world.stage.backend, stream).await.unwrap();
        assert_eq!(repaired, [Repaired { generation: 0, repair: Repair::Written }], "{damaged:?}");
        assert_eq!(live.row(stream).await.as_ref(), Some(&row), "{damaged:?}");
    }
    live.put(&with(&row, &[("seq", json!(-1))])).await;
    let id = world.request(name, Promote::Auto).await;
    world.run_until(name, Stage::Ready).await;
    let state = world.state(name).await;
    let report = &state.rebuild(id).unwrap().report;
    assert_eq!((report.drift, report.lagging, report.wrong), (1, 0, 0), "{report:?}");
    assert_eq!(report.examples[0].stream, stream);
}

#[tokio::test]
async fn a_commit_that_cannot_be_folded_is_named_and_bars_promotion() {
    let world = World::new(20).await;
    let name = Name::Waitees;
    let stream = world.streams_of(Category::Waitee)[0];
    world.stage.overwrite(stream, 1, "events", r#"[{"type":"waitee.joined","v":99,"data":{}}]"#).await;
    let id = world.request(name, Promote::Auto).await;
    world.run_until(name, Stage::Rejected).await;
    let state = world.state(name).await;
    let report = &state.rebuild(id).unwrap().report;
    assert_eq!(report.unreadable, 1);
    assert!(report.examples.iter().any(|one| (one.finding, one.stream) == (Finding::Unreadable, stream)));
}

#[tokio::test]
async fn a_dead_doorbell_of_the_candidate_delays_its_promotion_until_it_is_applied() {
    let world = World::new(10).await;
    let name = Name::Waitees;
    world.request(name, Promote::Auto).await;
    world.run_until(name, Stage::Verifying).await;
    let generation = world.state(name).await.building().unwrap().generation;
    let stream = world.append_visit_unseen().await;
    let parked = json!({ "consumer": "projector", "generation": generation, "stream": stream, "seq": 1, "cause": "throttled" });
    let letter = world.stage.dead(&world.stage.backend.retries, &parked.to_string()).await;
    world.run_until(name, Stage::Ready).await;
    for _ in 0..5 {
        world.pass_minutes(5);
        world.step(10).await;
        assert_eq!(world.state(name).await.building().map(|rebuild| rebuild.stage), Some(Stage::Ready));
    }
    assert!(world.stage.backend.retries.redrive(&letter).await.unwrap());
    world.ring_all().await;
    let message = world.stage.backend.retries.receive(1).await.unwrap().remove(0);
    projections::feed::retry(&world.stage.backend, &message.body).await.unwrap();
    world.stage.backend.retries.delete(&message.receipt).await.unwrap();
    world.run_until(name, Stage::Promoted).await;
    world.equals_the_log(name, generation).await;
}

#[tokio::test]
async fn a_cancelled_rebuild_loses_its_table_and_changes_nothing() {
    let world = World::new(10).await;
    let name = Name::Waitees;
    let id = world.request(name, Promote::Auto).await;
    world.run_until(name, Stage::Scanning).await;
    let generation = world.state(name).await.building().unwrap().generation;
    world.execute(name, Command::Cancel { rebuild: id, by: None }).await;
    world.run_until_dropped(name).await;
    assert!(world.table(name, generation).is_gone().await);
    assert_eq!(world.state(name).await.live, 0);
    world.request(name, Promote::Auto).await;
    world.run_until(name, Stage::Promoted).await;
}

/// An event between two steps.
#[derive(Clone, Debug)]
enum Meanwhile {
    /// The next message is handled and comes again.
    Repeat,
    /// A visit goes on, or begins.
    Append(History),
    /// The same, but its stream record is lost until the end.
    AppendUnseen(History),
    Pass(i64),
    Cancel,
    Rollback,
    Request,
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    prop_oneof![
        3 => Just(Meanwhile::Repeat),
        3 => crate::history::history().prop_map(Meanwhile::Append),
        1 => crate::history::history().prop_map(Meanwhile::AppendUnseen),
        2 => (1..60_000_i64).prop_map(Meanwhile::Pass),
        1 => Just(Meanwhile::Cancel),
        1 => Just(Meanwhile::Rollback),
        2 => Just(Meanwhile::Request),
    ]
}

#[test]
fn whatever_happens_during_rebuilds_each_generation_with_a_role_equals_the_log() {
    let runtime = runtime();
    let mut runner = TestRunner::new(cases_up_to(CASES_MAX, CASES));
    let case = (prop::collection::vec((meanwhile(), 0..30_usize), 1..14), any::<bool>());
    let property = async |case: &[(Meanwhile, usize)], is_message_a_page: bool| {
        let world = World::new(6).await;
        let usual = small(SEGMENTS_MAX);
        let bounds = if is_message_a_page { Bounds { work_max: Duration::ZERO, ..usual } } else { usual };
        let worker = Worker::new(world.stage.backend.clone(), 1).with(bounds);
        let world = world.worked_by(worker);
        let name = Name::Waitees;
        for (meanwhile, steps) in case {
            match meanwhile {
                Meanwhile::Repeat => world.repeat_next().await,
                Meanwhile::Append(history) => world.append(history, true).await,
                Meanwhile::AppendUnseen(history) => world.append(history, false).await,
                Meanwhile::Pass(ms) => world.stage.backend.clock.advance_millis(*ms),
                Meanwhile::Cancel => {
                    if let Some(rebuild) = world.state(name).await.building() {
                        let _finished_meanwhile =
                            world.try_execute(name, Command::Cancel { rebuild: rebuild.id, by: None }).await;
                    }
                }
                Meanwhile::Rollback => {
                    let _nothing_to_roll_back = world.try_execute(name, Command::Rollback { by: None }).await;
                }
                Meanwhile::Request => {
                    let _another_is_running = world.try_request(name, Promote::Auto).await;
                }
            }
            world.step(*steps).await;
        }
        world.run_dry().await;
        world.ring_all().await;
        let state = world.state(name).await;
        for generation in state.roles().all() {
            world.equals_the_log(name, generation).await;
        }
        let unfinished = state.building().map(|rebuild| rebuild.stage);
        assert!(matches!(unfinished, None | Some(Stage::Ready)), "{unfinished:?}");
    };
    runner
        .run(&case, |(case, is_message_a_page)| {
            runtime.block_on(property(&case, is_message_a_page));
            Ok(())
        })
        .unwrap();
}
