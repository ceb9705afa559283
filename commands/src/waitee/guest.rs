//! HTTP handlers of guests' commands: join a list, confirm, leave.

use infra::{
    Backend, Failure,
    http::{Body, Call, Reply},
    limits::Tries,
    vault::Subject,
};
use schema::{
    Actor, Problem, WaitlistId,
    body::{
        Empty, Written,
        guest::{JoinWaitlist, Joined},
    },
    page::Page,
    waitee::JoinedBy,
};
use serde_json::json;

use super::{
    Command, GuestCommand, Waitee,
    handler::{answer, read},
    join::{self, Joining},
};
use crate::{author::author_with_key, waitlist};

pub(crate) async fn join(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    // A malformed request is refused before anything is read or counted. A well-formed one counts for its
    // network address, and for the account once it could succeed.
    let body = call.body::<JoinWaitlist>()?.into();
    call.idempotency_key()?;
    backend.limits.count_from(Tries::JoinAddress, call.address()).await?;
    let id = WaitlistId(call.path_id()?);
    let (tenant, list) = waitlist::find(backend, id).await?.ok_or_else(Problem::not_found)?;
    // The lists of a forgotten account take no parties.
    backend.vault.key(Subject::Account(tenant)).await?.ok_or_else(Problem::not_found)?;

    let joining = Joining { tenant, id, list, by: JoinedBy::Guest };
    let (visit, outcome) = join::put_on(backend, call, &joining, &body).await?;
    let visit_token = backend.secrets.links().await?.visit_token(visit);
    let joined = Joined {
        written: Written {
            id: visit.0,
            seq: outcome.seq,
            state: outcome.state.0.as_ref().map(|visit| visit.state),
        },
        status_url: Page::Visit.link(&backend.public_url, &visit_token),
        visit_token,
    };
    // No Location: the path would hold the token, and intermediaries log the headers of answers.
    Ok(Reply { body: Some(Body::Value(json!(joined))), ..answer(201, visit, outcome, None) })
}

/// Runs a command on the visit that the token in the path is for.
pub(crate) async fn transition(
    backend: &Backend,
    call: &Call<'_>,
    command: GuestCommand,
) -> Result<Reply, Failure> {
    let token = call.token.ok_or_else(Problem::not_found)?;
    let id = backend.secrets.read_visit_token(token).await?.ok_or_else(Problem::not_found)?;
    call.body::<Empty>()?;
    // A guest who was erased, or whose account was, reads as not found: a repeated command gets no earlier
    // answer either.
    let found = read(backend, Actor::Guest(id), id).await?;
    let (tenant, _) = found.filter(|(_, visit)| !visit.erased).ok_or_else(Problem::not_found)?;
    let subject = Subject::Guest { account: tenant, guest: id };
    let key = backend.vault.key(subject).await?.ok_or_else(Problem::not_found)?;
    let author = author_with_key(call, Actor::Guest(id), subject, Some(&key), &call.said())?;
    let command = Command::Guest(command);
    let outcome = backend.log.execute::<Waitee>(id.into(), &author, call.expect()?, &command).await?;
    Ok(answer(200, id, outcome, None))
}
