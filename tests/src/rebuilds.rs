//! Steps of a rebuild without its worker, and dead letters.

use std::time::Duration;

use infra::{
    queue::{Queue, RECEIVE_MAX},
    tables,
};
use projections::rebuild::{Command, operate};
use schema::projection::{Done, Name, Phase, Report};
use uuid::Uuid;

use crate::{generations::change, stage::Stage};

/// The work done by a rebuild of [`Stage::make_ready`].
pub const DONE: Done = Done { commits: 50, rows: 20, read_units: 25, write_units: 80 };

/// More receives than any queue makes before a message becomes a dead letter.
const TRIES_MAX: usize = 60;

impl Stage {
    /// Takes a step of a rebuild.
    pub async fn step(&self, name: Name, command: Command) {
        change(&self.backend, name, &command).await;
    }

    /// Takes the steps of a rebuild until it can be promoted. It has one segment of the log and one of the rows, and
    /// does [`DONE`] in all. Its table is empty.
    pub async fn make_ready(&self, name: Name, rebuild: Uuid) {
        let state = operate::read(&self.backend, name).await.unwrap().state;
        let table = name.table().generation(state.rebuild(rebuild).unwrap().generation);
        tables::create(&self.dynamodb, &self.prefix, &[table]).await.unwrap();
        self.step(name, Command::Prepare { rebuild, scans: 1, verifications: 1 }).await;
        for (phase, done) in [(Phase::Scan, DONE), (Phase::Verify, Done::default())] {
            let found = Report { streams: 20, ..Report::default() };
            let found = if phase == Phase::Verify { found } else { Report::default() };
            self.step(name, Command::FinishSegment { rebuild, phase, segment: 0, done, found }).await;
        }
    }

    /// Sends a message and receives it until it is a dead letter. Returns its id.
    pub async fn dead(&self, queue: &Queue, body: &str) -> String {
        let id = queue.send(body, Duration::ZERO).await.unwrap();
        for _ in 0..TRIES_MAX {
            let _tried = queue.receive(RECEIVE_MAX).await.unwrap();
            let dead = queue.dead_letters(None, 100).await.unwrap().letters;
            if dead.iter().any(|letter| letter.id == id) {
                return id;
            }
            self.backend.clock.advance_millis(601_000);
        }
        panic!("the message never became a dead letter");
    }
}
