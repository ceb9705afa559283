//! Events as histories show them, their sealed fields opened.

use infra::{Failure, vault::SubjectKey};
use schema::{
    Commit, Sealed, StreamId,
    body::Event,
    id::Category,
    sealed::Personal,
    value::{Email, Name, Note, PasswordHash, Phone, Reason},
};
use serde_json::{Value, value::RawValue};

/// The events that begin an erasure.
const ERASED: [&str; 2] = ["user.erased", "waitee.erased"];

/// Whether an event of this commit begins an erasure.
pub(crate) fn begins_erasure(commit: &Commit) -> bool {
    commit.types().is_ok_and(|types| ERASED.iter().any(|erased| types.contains(*erased)))
}

/// The events of a commit. Sealed fields are null without the key.
///
/// # Errors
/// The commit's text is no list of events.
pub(crate) fn events(commit: &Commit, key: Option<&SubjectKey>) -> Result<Vec<Event>, Failure> {
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

/// Whether an event of this commit holds a sealed value that is shown opened.
pub(crate) fn holds_sealed(commit: &Commit) -> bool {
    let is_sealed = |data: &RawValue| {
        let data: Option<Value> = serde_json::from_str(data.get()).ok();
        data.is_some_and(|data| {
            let mut without_key = data.clone();
            open_all(&mut without_key, commit.stream, None);
            without_key != data
        })
    };
    commit.stored().is_ok_and(|stored| stored.iter().any(|event| is_sealed(event.data)))
}

/// Opens the sealed fields that are listed here, and no others. An erased or damaged value becomes null.
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
            // A password's hash helps only to guess the password: it is shown neither opened nor sealed.
            hide::<PasswordHash>(data);
        }
        Category::Mail | Category::Waitlist | Category::Session | Category::Access | Category::Projection => {
        } // nothing in them is sealed
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
    fn only_listed_fields_are_opened_and_a_password_is_never_shown() {
        let user: StreamId = UserId(Uuid::from_u128(7)).into();
        let mut data = json!({
            "name": "sealed", "password": "sealed", "phone": "sealed", "colour": "sealed", "deep": { "name": "sealed" }
        });
        open_all(&mut data, user, None);
        // Without a key an opened field is null, so the nulls are the fields that would be opened.
        assert_eq!(
            data,
            json!({
                "name": null, "password": null, "phone": "sealed", "colour": "sealed", "deep": { "name": "sealed" }
            })
        );
        let list = StreamId { category: Category::Waitlist, id: user.id };
        let mut data = json!({ "name": "Main room" });
        open_all(&mut data, list, None);
        assert_eq!(data, json!({ "name": "Main room" }));
    }
}
