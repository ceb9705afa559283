//! Changes of a projection's generations, by the commands of its stream.

use infra::{Backend, Failure, tables};
use projections::rebuild::{Command, Projection, Request, operate::author};
use schema::{
    Actor,
    id::Component,
    projection::{Done, Name, Phase, Promote, Report, Roles, State},
};
use uuid::Uuid;

use crate::stage::Stage;

/// Runs a command on a projection. Returns the state after it.
///
/// # Errors
/// The command is refused.
pub async fn try_change(backend: &Backend, name: Name, command: &Command) -> Result<State, Failure> {
    let author = author(Component::Rebuild, "test".into());
    let outcome = backend.log.execute::<Projection>(name.stream(), &author, None, command).await?;
    Ok(outcome.state.state)
}

/// Like [`try_change`].
///
/// # Panics
/// The command is refused.
pub async fn change(backend: &Backend, name: Name, command: &Command) -> State {
    try_change(backend, name, command).await.unwrap()
}

/// A request for a rebuild that is promoted so.
#[must_use]
pub fn request(id: Uuid, promote: Promote) -> Command {
    Command::Request(Request {
        id,
        by: Actor::System(Component::Operator),
        reason: None,
        promote,
        write_units_per_second: None,
        command: None,
    })
}

/// Requests a rebuild of one segment and makes the candidate's table. From now on the feed has to write it.
///
/// # Panics
/// Another rebuild is unfinished.
pub async fn prepare(stage: &Stage, name: Name, id: Uuid) -> Roles {
    let requested = change(&stage.backend, name, &request(id, Promote::Manual)).await;
    let generation = requested.rebuild(id).unwrap().generation;
    tables::create(&stage.dynamodb, &stage.prefix, &[name.table().generation(generation)]).await.unwrap();
    change(&stage.backend, name, &Command::Prepare { rebuild: id, scans: 1, verifications: 1 }).await.roles()
}

/// Says that the rebuild is scanned and verified, so that it can be promoted.
///
/// # Panics
/// It is not prepared.
pub async fn finish(backend: &Backend, name: Name, rebuild: Uuid) {
    for phase in [Phase::Scan, Phase::Verify] {
        let (done, found) = (Done::default(), Report::default());
        let command = Command::FinishSegment { rebuild, phase, segment: 0, done, found };
        change(backend, name, &command).await;
    }
}
