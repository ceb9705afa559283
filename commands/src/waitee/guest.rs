//! What guests do themselves, as it comes over HTTP: join a list, say that they are on their way, leave.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
    limits::Tries,
    vault::Subject,
};
use schema::{
    Actor, Problem, WaitlistId,
    body::{
        Empty, Written,
        guest::{JoinWaitlist, Joined},
    },
    commit::CommandId,
    waitee::{JoinedBy, Why},
};
use serde_json::json;

use super::{
    Command, Waitee, decide,
    handler::{answer, read},
    join::{self, Joining},
};
use crate::{
    author::{by, request_mac},
    waitlist,
};

pub(crate) async fn join(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    // A malformed request is refused before anything is read or counted. A well-formed one counts for its network address, and
    // for the account once it could succeed.
    let body = call.body::<JoinWaitlist>()?.into();
    call.idempotency_key()?;
    backend.limits.count_from(Tries::JoinAddress, call.address()).await?;
    let id = WaitlistId(call.path_id()?);
    let (tenant, list) = waitlist::handler::at_the_door(backend, id).await?.ok_or_else(Problem::not_found)?;
    // A forgotten account has no lists that anyone could join.
    backend.vault.key(Subject::Account(tenant)).await?.ok_or_else(Problem::not_found)?;

    let joining = Joining { tenant, id, list, by: JoinedBy::Guest };
    let (visit, outcome) = join::put_on(backend, call, &joining, &body).await?;
    let visit_token = backend.secrets.visit_token(visit);
    let joined = Joined {
        written: Written {
            id: visit.0,
            seq: outcome.seq,
            state: outcome.state.0.as_ref().map(|visit| visit.state),
        },
        status_url: format!("{}/visit#{visit_token}", backend.public_url),
        visit_token,
    };
    // No Location: it would be a path with the token in it, and headers of answers end in logs of what stands in between.
    Ok(Reply { body: Some(json!(joined)), ..answer(201, visit, outcome, None) })
}

/// A transition of the visit that the token in the path is for.
pub(crate) async fn transition(
    backend: &Backend,
    call: &Call<'_>,
    command: fn(Why) -> Command,
) -> Result<Reply, Failure> {
    let token = call.token.ok_or_else(Problem::not_found)?;
    let id = backend.secrets.read_visit_token(token).ok_or_else(Problem::not_found)?;
    call.body::<Empty>()?;
    // To whoever was forgotten, or waited with an account that was, nothing is answered any more: not even what was before.
    let found = read(backend, Actor::Guest(id), id).await?;
    let (tenant, _) = found.filter(|(_, visit)| !visit.erased).ok_or_else(Problem::not_found)?;
    let key = backend
        .vault
        .key(Subject::Guest { account: tenant, guest: id })
        .await?
        .ok_or_else(Problem::not_found)?;

    let repeatable = call
        .idempotency_key()?
        .map(|tag| CommandId { key: tag, request: Some(request_mac(&key, call, &call.said())) });
    let author = by(call, Actor::Guest(id), tenant, repeatable);
    let command = &command(Why::default());
    let decide = |waitee: Waitee, now| async move {
        Ok(decide(&waitee, command, now).map_err(super::Refusal::to_guest)?)
    };
    let outcome = backend.log.transact(id.into(), &author, call.expect()?, decide).await?;
    Ok(answer(200, id, outcome, None))
}
