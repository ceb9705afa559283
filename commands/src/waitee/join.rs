//! Joining a list, whether the host puts a party on it or the guest does: one way in, so that the same rules hold for both.

use infra::{
    Backend, Failure,
    http::Call,
    log::Outcome,
    vault::{Subject, SubjectKey},
};
use schema::{
    Actor, Problem, StreamId, UserId, WaiteeId, WaitlistId,
    body::{AddWaitee, Party},
    commit::CommandId,
    value::Region,
    waitee::{self, JoinedBy},
};

use super::{Command, Waitee, admit, decide};
use crate::{
    author::{by, request_mac},
    waitlist::Waitlist,
};

/// A list counts its parties up to here to tell whether it is full; no list may hold as many.
const ACTIVE_COUNTED_MAX: usize = 500;

/// Where a party is put, and by whom.
pub(super) struct Joining {
    pub(super) tenant: UserId,
    pub(super) id: WaitlistId,
    pub(super) list: Waitlist,
    pub(super) by: JoinedBy,
}

impl Joining {
    fn actor(&self, guest: WaiteeId) -> Actor {
        match self.by {
            JoinedBy::Host => Actor::User(self.tenant),
            JoinedBy::Guest => Actor::Guest(guest),
        }
    }
}

/// Puts the party that the body describes on a list.
pub(super) async fn put_on(
    backend: &Backend,
    call: &Call<'_>,
    joining: &Joining,
    body: &AddWaitee,
) -> Result<(WaiteeId, Outcome<Waitee>), Failure> {
    let party = || -> Result<Party, Problem> { body.clone().parse(region(&joining.list)?) };
    let active = backend.rows.active(joining.id, ACTIVE_COUNTED_MAX).await?;

    let idempotency_key = call.idempotency_key()?;
    let id = WaiteeId(
        idempotency_key.map_or_else(|| backend.clock.id(backend.clock.now()), |key| call.derived_id(key)),
    );
    let subject = Subject::Guest { account: joining.tenant, guest: id };
    // A key that is there already means that this request came before: if it was done its answer stands, whatever has become of
    // the list since, so the body is looked at only when there is no answer. Otherwise a refused party leaves nothing behind.
    let known = if idempotency_key.is_some() { backend.vault.key(subject).await? } else { None };
    let key = match known {
        Some(key) => key,
        None => {
            party()?;
            admit(&joining.list, active).map_err(Problem::from)?;
            backend.vault.create(subject).await?
        }
    };
    let command = idempotency_key
        .map(|tag| CommandId { key: tag, request: Some(request_mac(&key, call, call.raw_body())) });
    let author = by(call, joining.actor(id), joining.tenant, command);
    let (key, party) = (&key, &party);
    let decide = |waitee: Waitee, now| async move {
        let party = seal(key, id.into(), &party()?);
        let command =
            Command::Join { id: joining.id, list: joining.list.clone(), active, party, by: joining.by };
        Ok(decide(&waitee, &command, now).map_err(Problem::from)?)
    };
    let outcome = backend.log.transact(id.into(), &author, None, decide).await?;
    Ok((id, outcome))
}

/// The region of a list; of a deleted one the decision will say that it is gone.
pub(super) fn region(list: &Waitlist) -> Result<Region, Problem> {
    match list {
        Waitlist::Kept(state) => Ok(state.settings.region),
        Waitlist::None | Waitlist::Deleted => Err(Problem::not_found()),
    }
}

fn seal(key: &SubjectKey, stream: StreamId, party: &Party) -> waitee::Party {
    waitee::Party {
        name: key.seal(stream, &party.name),
        party_size: party.party_size,
        phone: party.phone.as_ref().map(|phone| key.seal(stream, phone)),
        email: party.email.as_ref().map(|email| key.seal(stream, email)),
        note: party.note.as_ref().map(|note| key.seal(stream, note)),
        quoted_minutes: party.quoted_minutes,
        language: party.language,
    }
}
