//! The history of a stream, from the log itself: every event, opened, and whether the chain of commits holds.

use infra::{
    Backend, Failure,
    http::{Call, Reply},
    vault::{Subject, SubjectKey},
};
use schema::{
    Commit, Problem, Sealed, StreamId, WaiteeId, WaitlistId, access,
    body::{Event, History, Verified},
    commit::Tail,
    id::Category,
    sealed::Personal,
    value::{Email, Name, Note, PasswordHash, Phone, Reason},
};
use serde_json::Value;

use crate::{
    cursor::{self, Kind},
    fresh,
};

/// What says that somebody is to be forgotten.
const ERASED: [&str; 2] = ["user.erased", "waitee.erased"];

pub(crate) async fn of_account(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    of_stream(backend, call, call.owner.into(), Subject::Account(call.owner)).await
}

pub(crate) async fn of_waitlist(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let id = WaitlistId(call.path_id()?);
    of_stream(backend, call, id.into(), Subject::Account(call.owner)).await
}

pub(crate) async fn of_waitee(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let guest = WaiteeId(call.path_id()?);
    of_stream(backend, call, guest.into(), Subject::Guest { account: call.owner, guest }).await
}

async fn of_stream(
    backend: &Backend,
    call: &Call<'_>,
    stream: StreamId,
    subject: Subject,
) -> Result<Reply, Failure> {
    let [limit, after] = call.query(["limit", "cursor"])?;
    let page = Kind::History.page(limit, after)?;
    let tokens = call.sync_tokens()?;
    let after = match &page.after {
        None => 0,
        Some(place) => place.parse().map_err(|_| {
            Problem::invalid_parameter("cursor", "must be the next of a page of this same history")
        })?,
    };
    let commits = backend.log.load(stream).await?;
    // A chain that does not hold is still its owner's to see.
    let tenant = commits.first().ok_or_else(Problem::not_found)?.tenant;
    access::may(call.actor(), stream, tenant)?;
    let last = commits.last().map_or(0, |commit| commit.last);
    if last < fresh::demanded(&tokens, stream) {
        return Err(fresh::unknown_token().into());
    }
    fresh::check_others(backend, call.actor(), &tokens, |other| other == stream).await?;
    // Who is about to be forgotten is shown no longer, though the key may stand for moments.
    let key = if is_erased(&commits) { None } else { backend.vault.key(subject).await? };
    let mut items = Vec::new();
    for commit in &commits {
        items.extend(
            events(commit, key.as_ref())?.into_iter().filter(|event| event.seq > after).take(page.limit + 1),
        );
        if items.len() > page.limit {
            break;
        }
    }
    let (items, next) = cursor::cut(Kind::History, items, page.limit, |event| event.seq.to_string());
    Reply::read(last, &History { items, next, verified: verify(&commits) })
}

fn is_erased(commits: &[Commit]) -> bool {
    let says_so = |commit: &Commit| {
        commit.types().is_ok_and(|types| ERASED.iter().any(|erased| types.contains(*erased)))
    };
    commits.iter().any(says_so)
}

/// Walks the chain and names the first commit that does not fit.
#[must_use]
pub fn verify(commits: &[Commit]) -> Verified {
    let mut tail = Tail::EMPTY;
    for commit in commits {
        match tail.follow(commit) {
            Ok(next) => tail = next,
            Err(broken) => {
                return Verified { ok: false, seq: Some(commit.seq), why: Some(broken.to_string()) };
            }
        }
    }
    Verified { ok: true, seq: None, why: None }
}

fn events(commit: &Commit, key: Option<&SubjectKey>) -> Result<Vec<Event>, Failure> {
    let unreadable = |cause| Failure::broken(format!("show {}@{}", commit.stream, commit.seq), cause);
    let stored = commit
        .stored()
        .map_err(|cause| unreadable(Box::new(cause) as Box<dyn std::error::Error + Send + Sync>))?;
    stored
        .into_iter()
        .zip(commit.seq..)
        .map(|(stored, seq)| {
            let mut data: Value =
                serde_json::from_str(stored.data.get()).map_err(|cause| unreadable(Box::new(cause)))?;
            open_all(&mut data, commit.stream, key);
            Ok(Event {
                stream: commit.stream.to_string(),
                seq,
                kind: stored.kind.to_owned(),
                v: stored.v,
                at: commit.at,
                actor: commit.actor.to_string(),
                commit: commit.commit,
                correlation: commit.correlation.clone(),
                causation: commit.causation.clone(),
                data,
            })
        })
        .collect()
}

/// Opens the sealed fields that are named here, and no others; what was forgotten or is damaged is null.
fn open_all(data: &mut Value, stream: StreamId, key: Option<&SubjectKey>) {
    match stream.category {
        Category::Waitee => {
            open::<Name>(data, stream, key);
            open::<Phone>(data, stream, key);
            open::<Email>(data, stream, key);
            open::<Note>(data, stream, key);
            open::<Reason>(data, stream, key);
        }
        Category::User => {
            open::<Name>(data, stream, key);
            open::<Email>(data, stream, key);
            // It serves whoever wants to guess the password, and nobody else: neither opened nor sealed is it shown.
            hide::<PasswordHash>(data);
        }
        Category::Mail | Category::Waitlist | Category::Session => {} // they hold nothing sealed
    }
}

fn hide<T: Personal>(data: &mut Value) {
    if let Some(field) = data.get_mut(T::FIELD) {
        *field = Value::Null;
    }
}

fn open<T: Personal>(data: &mut Value, stream: StreamId, key: Option<&SubjectKey>) {
    if let Some(field) = data.get_mut(T::FIELD)
        && let Some(text) = field.as_str()
    {
        let opened = key.and_then(|key| key.open::<T>(stream, &Sealed::from_text(text.to_owned())).clear());
        *field = opened.map_or(Value::Null, |value| Value::from(value.clear()));
    }
}

#[cfg(test)]
mod tests {
    use schema::UserId;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn only_fields_that_are_named_are_opened_and_a_password_is_not_shown_at_all() {
        let user: StreamId = UserId(Uuid::from_u128(7)).into();
        let mut data = json!({ "name": "sealed", "password": "sealed", "phone": "sealed", "colour": "sealed", "deep": { "name": "sealed" } });
        open_all(&mut data, user, None);
        // Without a key what is opened is null: so it shows what would have been.
        assert_eq!(
            data,
            json!({ "name": null, "password": null, "phone": "sealed", "colour": "sealed", "deep": { "name": "sealed" } })
        );
        let list = StreamId { category: Category::Waitlist, id: user.id };
        let mut data = json!({ "name": "Main room" });
        open_all(&mut data, list, None);
        assert_eq!(data, json!({ "name": "Main room" }));
    }
}
