//! A changed fold: rows of the version before, of this one and of the next beside each other, while a client reads.

mod versions;

use infra::rows::{Patience, Target};
use projections::{
    feed::{Applied, Doorbell, apply_by},
    projection::Projection,
    rebuild::Command,
};
use schema::{
    StreamId, WaiteeId,
    id::Category,
    projection::{Name, Promote, Stage},
};
use serde_json::{Value, json};
use uuid::Uuid;
use waitlist_tests::{
    generations::{finish, prepare},
    stage::Owner,
};

use self::versions::{Former, Next};
use super::world::World;
use crate::poison::{parked, retry_failures};

const NAME: Name = Name::Waitees;
const PARTIES: usize = 12;
/// The longest pause of a doorbell that waits for newer code.
const PAUSE_MAX_MS: i64 = 15 * 60_000;

/// A host who adds parties, calls them and reads them.
struct Host<'w> {
    world: &'w World,
    owner: Owner<'w>,
    list: String,
}

impl<'w> Host<'w> {
    async fn new(world: &'w World) -> Self {
        let owner = world.stage.owner();
        let list = owner.list("Main room").await;
        let stream = StreamId { category: Category::Waitlist, id: list.parse().unwrap() };
        world.knows(stream);
        world.ring(stream).await;
        Self { world, owner, list }
    }

    /// Adds a party and calls it. No feed is told.
    async fn called(&self) -> StreamId {
        let id = self.owner.join(&self.list, "Ana").await;
        let stream = StreamId::from(id.parse::<WaiteeId>().unwrap());
        self.world.knows(stream);
        self.call(stream).await;
        stream
    }

    async fn call(&self, stream: StreamId) {
        let called = self.owner.post(&format!("/v1/waitees/{}/call", stream.id), json!({})).await;
        assert_eq!(called.status, 202, "{called:?}");
    }

    /// Reads each party, and the board, which it returns. Every answer must be valid. A party is folded from the log
    /// if its row is of an older version; the board shows its rows as they are stored.
    async fn reads(&self) -> Vec<Value> {
        let board = self.owner.get(&format!("/v1/waitlists/{}/waitees?limit=200", self.list)).await;
        assert_eq!(board.status, 200, "{board:?}");
        let streams = self.world.streams_of(Category::Waitee);
        let shown = board.body["items"].as_array().unwrap().clone();
        assert_eq!(shown.len(), streams.len(), "the board is whole");
        for stream in streams {
            let last = self.world.stage.commits(stream).await.pop().unwrap().last;
            let party = self.owner.get(&format!("/v1/waitees/{}", stream.id)).await;
            assert_eq!(party.status, 200, "{party:?}");
            assert_eq!((&party.body["seq"], &party.body["state"]), (&json!(last), &json!("called")));
            assert!(party.body["called_at"].is_string(), "{party:?}");
        }
        shown
    }

    /// Reads everything. On the board, so many parties lack the attribute of this release.
    async fn shows(&self, lacking: usize, why: &str) {
        let board = self.reads().await;
        assert_eq!(board.iter().filter(|party| party["called_at"].is_null()).count(), lacking, "{why}");
    }
}

/// The rows of a generation that the former fold wrote.
async fn former_rows(world: &World, generation: u64) -> usize {
    let mut former = 0;
    for stream in world.streams_of(Category::Waitee) {
        let row = world.table(NAME, generation).row(stream).await.unwrap();
        former += usize::from(row["v"] == Former::VERSION);
    }
    former
}

/// Applies a stream's last event to every generation with a role, as a feed with this version of the fold does.
async fn fed_by<P: Projection>(world: &World, stream: StreamId) -> Vec<Applied> {
    let mut applied = Vec::new();
    for generation in world.state(NAME).await.roles().all() {
        applied.push(folded_by::<P>(world, stream, generation).await);
    }
    applied
}

/// Applies a stream's last event to one generation.
async fn folded_by<P: Projection>(world: &World, stream: StreamId, generation: u64) -> Applied {
    let last = world.stage.commits(stream).await.pop().unwrap();
    let doorbell = Doorbell { stream, last: last.last, commits: vec![last] };
    let target = Target { generation, patience: Patience::Usual };
    apply_by::<P>(&world.stage.backend, &doorbell, target).await.unwrap()
}

#[tokio::test]
async fn rows_of_the_version_before_are_rebuilt_promoted_and_rolled_back_while_they_are_read() {
    let world = World::new(0).await;
    let host = Host::new(&world).await;
    for _ in 0..PARTIES {
        let stream = host.called().await;
        assert_eq!(fed_by::<Former>(&world, stream).await, [Applied::Written]);
    }
    host.shows(PARTIES, "the former fold lacks the attribute").await;
    let id = world.request(NAME, Promote::Auto).await;
    for stage in [Stage::Prepared, Stage::Scanning, Stage::Verifying] {
        world.run_until(NAME, stage).await;
        // One feed is of the release before, another one of this release.
        let (former, current) = (host.called().await, host.called().await);
        assert_eq!(fed_by::<Former>(&world, former).await, [Applied::Written; 2]);
        world.ring(current).await;
        host.reads().await;
    }
    world.run_until(NAME, Stage::Promoted).await;
    let state = world.state(NAME).await;
    let rebuild = state.rebuild(id).unwrap();
    // A row that the former feed alone wrote to the candidate, after the scan, is of its version there too.
    let (before, after) = (former_rows(&world, 0).await, former_rows(&world, rebuild.generation).await);
    assert_eq!(before, PARTIES + 3);
    assert!((1..=2).contains(&after), "{after}");
    let report = &rebuild.report;
    assert_eq!((report.expected, report.drift), ((before - after) as u64, 0));
    assert!(!report.bars() && report.streams == PARTIES as u64 + 6, "{report:?}");
    let example = &report.examples[0];
    assert_eq!((example.field.as_deref(), &example.live), (Some("called_at"), &Value::Null));
    host.shows(after, "the new rows are served").await;

    for (command, lacking) in
        [(Command::Rollback { by: None }, before), (Command::Promote { rebuild: id, by: None }, after)]
    {
        world.execute(NAME, command).await;
        host.shows(lacking, "the former rows, then the new ones").await;
    }
    // The former feed leaves rows of this version alone, and this feed brings all rows to its version.
    let stream = world.streams_of(Category::Waitee)[0];
    host.call(stream).await;
    assert_eq!(fed_by::<Former>(&world, stream).await, [Applied::RowIsNewer(3), Applied::Written]);
    world.ring_all().await;
    for generation in world.state(NAME).await.roles().all() {
        world.equals_the_log(NAME, generation).await;
    }
}

#[tokio::test]
async fn this_code_leaves_a_candidate_of_newer_code_alone_serves_it_and_waits_longer_than_a_rebuild_takes() {
    let world = World::new(0).await;
    let host = Host::new(&world).await;
    for _ in 0..PARTIES {
        let stream = host.called().await;
        world.ring(stream).await;
    }
    let id = Uuid::from_u128(5);
    let candidate = prepare(&world.stage, NAME, id).await.candidate.unwrap();
    let streams = world.streams_of(Category::Waitee);
    for stream in &streams {
        assert_eq!(folded_by::<Next>(&world, *stream, candidate).await, Applied::Written);
    }
    let (waiting, newer) = streams.split_at(PARTIES / 2);
    for stream in waiting {
        host.call(*stream).await;
        let before = world.table(NAME, candidate).row(*stream).await;
        world.ring(*stream).await;
        assert_eq!(
            world.table(NAME, candidate).row(*stream).await,
            before,
            "the candidate's row is left alone"
        );
        world.row_equals_the_log(*stream, 0).await;
    }
    host.reads().await;

    // Nothing becomes a dead letter for hours.
    let backend = &world.stage.backend;
    for _ in 0..20 {
        backend.clock.advance_millis(PAUSE_MAX_MS);
        let found = parked(backend).await;
        let generations: Vec<Option<u64>> = found.iter().map(|parked| parked.generation).collect();
        assert_eq!(generations, vec![Some(candidate); waiting.len()]);
        assert_eq!(retry_failures(world.feed(), &found).await, 0, "they wait on");
    }
    for stream in waiting {
        assert!(fed_by::<Next>(&world, *stream).await.contains(&Applied::Written));
    }
    finish(backend, NAME, id).await;
    for command in [
        Command::Promote { rebuild: id, by: None },
        Command::Rollback { by: None },
        Command::Promote { rebuild: id, by: None },
    ] {
        world.execute(NAME, command).await;
        host.reads().await;
    }
    for stream in waiting.iter().chain(newer) {
        let row = world.table(NAME, candidate).row(*stream).await.unwrap();
        assert_eq!((&row["v"], &row["served"]), (&json!(4), &json!("called")), "{row}");
    }
}
