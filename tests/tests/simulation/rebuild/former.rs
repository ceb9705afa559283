//! The former generation, which the tick and the worker retire after a day.

use projections::rebuild::{Command, PREVIOUS_KEPT_MS};
use reactors::tick::Tick;
use schema::projection::{Name, Promote, Stage};

use super::world::World;

const MINUTE_MS: i64 = 60_000;

async fn promoted() -> World {
    let world = World::new(5).await;
    world.request(Name::Users, Promote::Auto).await;
    world.run_until(Name::Users, Stage::Promoted).await;
    world.run_dry().await;
    world
}

/// Lets time pass until so many milliseconds before the end of the day, by the state.
async fn pass_until(world: &World, before_ms: i64) {
    let until = world.state(Name::Users).await.previous.unwrap().until;
    world.stage.backend.clock.set(until.plus_millis(-before_ms));
}

async fn tick(world: &World) {
    Tick::new(world.stage.backend.clone()).look().await.unwrap();
    world.run_dry().await;
}

#[tokio::test]
async fn the_former_generation_is_kept_for_a_day_and_then_retired_and_its_table_deleted() {
    let world = promoted().await;
    pass_until(&world, MINUTE_MS).await;
    tick(&world).await;
    assert_eq!(world.state(Name::Users).await.previous.map(|former| former.generation), Some(0));
    assert!(!world.table(Name::Users, 0).is_gone().await);
    pass_until(&world, 0).await;
    tick(&world).await;
    let state = world.state(Name::Users).await;
    assert_eq!((state.previous, state.retired, state.by), (None, vec![], None));
    assert!(world.table(Name::Users, 0).is_gone().await);
    world.equals_the_log(Name::Users, state.live).await;
    let events = world.stage.commits(Name::Users.stream()).await.len();
    tick(&world).await;
    assert_eq!(world.stage.commits(Name::Users.stream()).await.len(), events, "nothing is left to do");
}

#[tokio::test]
async fn a_rollback_in_the_last_minute_of_the_day_works_and_the_day_begins_anew() {
    let world = promoted().await;
    pass_until(&world, MINUTE_MS).await;
    world.execute(Name::Users, Command::Rollback { by: None }).await;
    world.stage.backend.clock.advance_millis(2 * MINUTE_MS);
    tick(&world).await;
    let state = world.state(Name::Users).await;
    assert_eq!((state.live, state.previous.unwrap().generation), (0, 1));
    world.equals_the_log(Name::Users, 0).await;
    world.stage.backend.clock.advance_millis(PREVIOUS_KEPT_MS);
    tick(&world).await;
    assert!(world.table(Name::Users, 1).is_gone().await);
    world.equals_the_log(Name::Users, 0).await;
}

#[tokio::test]
async fn ticks_before_the_worker_runs_ask_once() {
    let world = promoted().await;
    pass_until(&world, 0).await;
    for _ in 0..3 {
        Tick::new(world.stage.backend.clone()).look().await.unwrap();
    }
    assert_eq!(world.stage.backend.rebuilds.waiting(10).await.unwrap(), 1);
}
