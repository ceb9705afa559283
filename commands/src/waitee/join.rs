//! Joining a list, whether the host puts a party on it or the guest does: one way in, so that the same rules
//! hold for both.

use infra::{
    Backend, Failure,
    http::Call,
    limits::Tries,
    log::Outcome,
    vault::{Held, Subject, SubjectKey},
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
    /// Counts a guest's join, once all that could refuse it has been looked at: joins that are refused do not
    /// use up what the account's other guests may.
    async fn count(&self, backend: &Backend) -> Result<(), Failure> {
        match self.by {
            JoinedBy::Host => Ok(()),
            JoinedBy::Guest => backend.limits.count(Tries::JoinAccount, &self.tenant.to_string()).await,
        }
    }

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
    let idempotency_key = call.idempotency_key()?;
    let active = backend.rows.active(joining.id, ACTIVE_COUNTED_MAX).await?;
    let id = WaiteeId(
        idempotency_key.map_or_else(|| backend.clock.id(backend.clock.now()), |key| call.derived_id(key)),
    );
    let subject = Subject::Guest { account: joining.tenant, guest: id };
    // The vault knows the guest of a request that came before: its answer stands, whatever became of the list
    // or the guest since, so the body is looked at only when there is no answer. Otherwise a refused party
    // leaves nothing behind.
    let held = if idempotency_key.is_some() { backend.vault.held(subject).await? } else { Held::Nothing };
    let key = match held {
        Held::Key(key) => Some(key),
        // The content of the request can no longer be compared: the idempotency key alone finds the answer.
        Held::Tombstone => None,
        Held::Nothing => {
            party()?;
            admit(&joining.list, active).map_err(Problem::from)?;
            call.expect_new()?;
            joining.count(backend).await?;
            Some(backend.vault.create(subject).await?)
        }
    };
    let command = idempotency_key.map(|tag| CommandId {
        key: tag,
        request: key.as_ref().map(|key| request_mac(key, call, &call.said())),
    });
    let author = by(call, joining.actor(id), joining.tenant, command);
    let (key, party) = (key.as_ref(), &party);
    let decide = |waitee: Waitee, now| async move {
        let party = seal(key.ok_or_else(Problem::erased)?, id.into(), &party()?);
        let command =
            Command::Join { id: joining.id, list: joining.list.clone(), active, party, by: joining.by };
        Ok(decide(&waitee, &command, now).map_err(Problem::from)?)
    };
    let outcome = backend.log.transact(id.into(), &author, call.expect_new()?, decide).await?;
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
