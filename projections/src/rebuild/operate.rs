//! Commands of operators on projections: for routes and for the command line.

use infra::{
    Backend, Failure,
    log::{Decider as _, Expect, Outcome},
};
use schema::{
    Actor, Problem, Slug, UserId,
    body::projection::{Projection as Shown, RebuildWish},
    commit::Author,
    id::Component,
    projection::{self, Name},
};
use uuid::Uuid;

use super::{Command, Projection, Request, missed::missed, show};

/// The person who gives commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Their account; `None` on the command line, which knows none.
    pub by: Option<UserId>,
    /// The id of the request.
    pub correlation: String,
}

/// A rebuild that was requested, by this request or by an earlier one with the same idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    pub id: Uuid,
    /// Number of the event that requested it.
    pub seq: u64,
    /// Whether this request started it.
    pub is_new: bool,
}

/// Reads the generations and rebuilds of a projection from the log: one item, strongly consistent.
///
/// # Errors
/// The table cannot be read, or the item is damaged.
pub async fn read(backend: &Backend, name: Name) -> Result<Projection, Failure> {
    let read = backend.log.read_latest::<Projection>(name.stream()).await?;
    Ok(read.map(|read| read.state).unwrap_or_default())
}

/// Requests a rebuild.
///
/// # Errors
/// `Refused` while another rebuild is unfinished, or when the idempotency key was used for another request; as
/// [`infra::Log::transact`].
pub async fn start(
    backend: &Backend,
    operator: &Operator,
    name: Name,
    wish: RebuildWish,
    command: Option<projection::Command>,
) -> Result<Started, Failure> {
    let RebuildWish { dry_run: _, promote, write_units_per_second, reason } = wish;
    let id = backend.clock.id(backend.clock.now());
    let by = operator.actor();
    let request = Request { id, by, reason, promote, write_units_per_second, command: command.clone() };
    let outcome = run(backend, operator, name, Expect::default(), &Command::Request(request)).await?;
    let is_asked = |rebuild: &&projection::Rebuild| {
        rebuild.id == id || (command.is_some() && rebuild.command == command)
    };
    let rebuild = outcome.state.state.rebuilds.iter().find(is_asked);
    let lost = || Failure::broken(format!("start a rebuild of {}", name.as_str()), "the state lacks it");
    let rebuild = rebuild.ok_or_else(lost)?;
    Ok(Started { id: rebuild.id, seq: rebuild.generation, is_new: rebuild.id == id })
}

/// Makes the candidate of a rebuild live.
///
/// # Errors
/// `Refused` unless it is ready, and while its rows may lack the event of a parked or dead doorbell. As
/// [`infra::Log::transact`].
pub async fn promote(
    backend: &Backend,
    operator: &Operator,
    name: Name,
    rebuild: Uuid,
    expect: Expect,
) -> Result<Outcome<Projection>, Failure> {
    let command = Command::Promote { rebuild, by: operator.by };
    let projection = read(backend, name).await?;
    let decided = projection.decide(&command, backend.clock.now());
    if decided.is_ok_and(|events| !events.is_empty())
        && let Some(rebuild) = projection.state.rebuild(rebuild)
        && let Some(missed) = missed(backend, name, rebuild).await?
    {
        return Err(Problem::new(Slug::DoorbellsParked, missed.advice(name)).into());
    }
    run(backend, operator, name, expect, &command).await
}

/// Runs a command of an operator. [`promote`] asks for more than this.
///
/// # Errors
/// As [`infra::Log::execute`].
pub async fn run(
    backend: &Backend,
    operator: &Operator,
    name: Name,
    expect: Expect,
    command: &Command,
) -> Result<Outcome<Projection>, Failure> {
    let author = author(Component::Operator, operator.correlation.clone());
    backend.log.execute(name.stream(), &author, expect, command).await
}

/// Reads projections as they are shown now, in this order.
///
/// # Errors
/// As [`read`].
pub async fn shown(backend: &Backend, names: impl IntoIterator<Item = Name>) -> Result<Vec<Shown>, Failure> {
    let mut shown = Vec::new();
    for name in names {
        shown.push(show::projection(name, &read(backend, name).await?, backend.clock.now()));
    }
    Ok(shown)
}

/// The author of a projection's commit. Projections belong to no account.
#[must_use]
pub fn author(by: Component, correlation: String) -> Author {
    let (tenant, actor) = (UserId(Uuid::nil()), Actor::System(by));
    Author { tenant, actor, command: None, correlation, causation: None }
}

impl Operator {
    fn actor(&self) -> Actor {
        self.by.map_or(Actor::System(Component::Operator), Actor::User)
    }
}
