//! HTTP handlers of rebuilds. They read the log, so what they show never lags.

use infra::{
    Backend, Failure,
    http::{Body, Call, Reply, written},
    log::{Expect, Outcome, States},
};
use schema::{
    Problem, Slug,
    body::{Empty, Page, Written, projection::StartRebuild},
    commit::{Tag, correlation_of},
    projection::{self, Name},
};
use uuid::Uuid;

use super::{
    Command, Refusal,
    operate::{self, Operator, Started},
    quote::quote,
    sample::Sampling,
    show,
};
use crate::cursor::{Kind, cut, foreign};

pub(crate) async fn projections(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [limit, cursor] = call.query(["limit", "cursor"])?;
    let page = Kind::Projections.page(limit, cursor)?;
    let mut names = Name::ALL;
    names.sort_by_key(|name| name.as_str());
    let rest = names.into_iter().filter(|name| page.holds(name.as_str(), None)).collect();
    let Page { items: names, next } =
        cut(Kind::Projections, rest, page.limit, |name| name.as_str().to_owned());
    Reply::read(0, &Page { items: operate::shown(backend, names).await?, next })
}

pub(crate) async fn rebuilds(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let name = name(call)?;
    let [limit, cursor] = call.query(["limit", "cursor"])?;
    let page = Kind::Rebuilds.page(limit, cursor)?;
    let projection = operate::read(backend, name).await?;
    let before = match page.after {
        None => u64::MAX,
        Some(after) => after.parse().map_err(|_| foreign())?,
    };
    let newest_first = projection.state.rebuilds.iter().rev();
    let rest = newest_first.filter(|rebuild| rebuild.generation < before).collect();
    let page = cut(Kind::Rebuilds, rest, page.limit, |rebuild| rebuild.generation.to_string());
    Reply::read(projection.seq, &page.map(|rebuild| show::rebuild(name, rebuild, backend.clock.now())))
}

pub(crate) async fn rebuild(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let name = name(call)?;
    let [] = call.query([])?;
    let projection = operate::read(backend, name).await?;
    let rebuild =
        projection.state.rebuild(call.path_id()?).ok_or(Refusal::NotFound).map_err(Problem::from)?;
    Reply::read(projection.seq, &show::rebuild(name, rebuild, backend.clock.now()))
}

pub(crate) async fn start(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let name = name(call)?;
    let [] = call.query([])?;
    let wish = call.body::<StartRebuild>()?.parse()?;
    let command = call.idempotency_key()?.map(|key| projection::Command::new(key, Tag::of(&[&call.said()])));
    let expect = call.expect_new()?;
    if wish.dry_run {
        return Reply::plain(200, &quote(backend, name, &wish, Sampling::USUAL).await?);
    }
    let started = operate::start(backend, &operator(call), name, wish, command).await?;
    check_new(started, &expect)?;
    let location = format!("/v1/projections/{}/rebuilds/{}", name.as_str(), started.id);
    Ok(answer(202, name, started.id, started.seq, Some(location)))
}

pub(crate) async fn promote(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let Asked { name, operator, expect } = asked(call)?;
    let id = call.path_id()?;
    let Outcome { seq, .. } = operate::promote(backend, &operator, name, id, expect).await?;
    Ok(answer(202, name, id, seq, None))
}

pub(crate) async fn cancel(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let Asked { name, operator, expect } = asked(call)?;
    let id = call.path_id()?;
    let command = Command::Cancel { rebuild: id, by: operator.by };
    let Outcome { seq, .. } = operate::run(backend, &operator, name, expect, &command).await?;
    Ok(answer(202, name, id, seq, None))
}

pub(crate) async fn roll_back(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let Asked { name, operator, expect } = asked(call)?;
    let command = Command::Rollback { by: operator.by };
    let Outcome { seq, .. } = operate::run(backend, &operator, name, expect, &command).await?;
    Ok(answer(200, name, name.stream().id, seq, None))
}

pub(crate) async fn retire(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let Asked { name, operator, expect } = asked(call)?;
    let command = Command::Retire { by: operator.by };
    let Outcome { seq, .. } = operate::run(backend, &operator, name, expect, &command).await?;
    Ok(answer(200, name, name.stream().id, seq, None))
}

/// A command without a body of its own.
struct Asked {
    name: Name,
    operator: Operator,
    expect: Expect,
}

fn asked(call: &Call<'_>) -> Result<Asked, Problem> {
    let name = name(call)?;
    let [] = call.query([])?;
    call.body::<Empty>()?;
    Ok(Asked { name, operator: operator(call), expect: call.expect()? })
}

fn name(call: &Call<'_>) -> Result<Name, Problem> {
    call.name.and_then(|name| name.parse().ok()).ok_or_else(Problem::not_found)
}

fn operator(call: &Call<'_>) -> Operator {
    Operator { by: Some(call.owner), correlation: correlation_of(call.request_id()).to_owned() }
}

/// `If-None-Match` refers to the rebuild that an earlier request with the same idempotency key started.
fn check_new(started: Started, expect: &Expect) -> Result<(), Problem> {
    let is_named = match &expect.none_of {
        None => false,
        Some(States::Any) => true,
        Some(States::At(seqs)) => seqs.contains(&started.seq),
    };
    if started.is_new || !is_named {
        return Ok(());
    }
    let detail = "If-None-Match names a state that holds: this Idempotency-Key has started a rebuild.";
    Err(Problem::new(Slug::PreconditionFailed, detail))
}

/// The answer to a write: the id of the rebuild or of the projection, and the projection's last event.
fn answer(status: u16, name: Name, id: Uuid, seq: u64, location: Option<String>) -> Reply {
    let body = serde_json::json!(Written { id, seq, state: None });
    Reply { body: Some(Body::Value(body)), ..written(status, name.stream(), seq, None, location) }
}
