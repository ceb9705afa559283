//! Joining a list: the same for a host who adds a party and for a guest who joins.

use std::future::ready;

use infra::{
    Backend, Failure,
    http::Call,
    limits::Tries,
    log::Outcome,
    vault::{Held, Subject},
};
use schema::{
    Actor, Problem, UserId, WaiteeId, WaitlistId,
    body::{AddWaitee, Party},
    value::Region,
    waitee::JoinedBy,
};

use super::{Command, Join, Waitee, decide::admit, seal};
use crate::{
    author::{author_with_key, created_id},
    waitlist::Waitlist,
};

/// The parties of a list are counted up to this number, which is more than any list may hold.
const ACTIVE_COUNTED_MAX: usize = 500;

/// The list that a party joins, and who adds it.
pub(super) struct Joining {
    pub(super) tenant: UserId,
    pub(super) id: WaitlistId,
    pub(super) list: Waitlist,
    pub(super) by: JoinedBy,
}

impl Joining {
    /// Counts a guest's join for the account. Called when nothing else can refuse the join, so that refused
    /// joins do not use up the count of the account's other guests.
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

/// Puts the party of the body on a list.
pub(super) async fn put_on(
    backend: &Backend,
    call: &Call<'_>,
    joining: &Joining,
    body: &AddWaitee,
) -> Result<(WaiteeId, Outcome<Waitee>), Failure> {
    let party = || -> Result<Party, Problem> { body.clone().parse(region(&joining.list)?) };
    let has_idempotency_key = call.idempotency_key()?.is_some();
    let active = backend.rows.active(joining.id, ACTIVE_COUNTED_MAX).await?;
    let id = WaiteeId(created_id(backend, call, call.owner)?);
    let subject = Subject::Guest { account: joining.tenant, guest: id };
    // A key in the vault means that an earlier request created the visit: its answer stands, so the body is
    // parsed only when there is no such answer. Otherwise the party is checked first, so that a refused party
    // leaves no key behind.
    let held = if has_idempotency_key { backend.vault.held(subject).await? } else { Held::Nothing };
    let key = match held {
        Held::Key(key) => Some(key),
        // The content of the requests can no longer be compared: the idempotency key alone finds the answer.
        Held::Tombstone => None,
        Held::Nothing => {
            party()?;
            admit(&joining.list, active).map_err(Problem::from)?;
            call.expect_new()?;
            joining.count(backend).await?;
            Some(backend.vault.create(subject).await?)
        }
    };
    let author = author_with_key(call, joining.actor(id), subject, key.as_ref(), &call.said())?;
    let join = || -> Result<Command, Problem> {
        let party = seal::party(key.as_ref().ok_or_else(Problem::erased)?, id.into(), &party()?);
        Ok(Command::Join(Join { id: joining.id, list: joining.list.clone(), active, party, by: joining.by }))
    };
    let join = |_| ready(join().map_err(Failure::from));
    let outcome = backend.log.execute_with(id.into(), &author, call.expect_new()?, join).await?;
    Ok((id, outcome))
}

/// The region of a list, which its phone numbers are read by.
pub(super) fn region(list: &Waitlist) -> Result<Region, Problem> {
    match list {
        Waitlist::Kept(state) => Ok(state.settings.region),
        Waitlist::None | Waitlist::Deleted => Err(Problem::not_found()),
    }
}
