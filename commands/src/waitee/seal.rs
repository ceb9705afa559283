//! Seals a party's personal data under its guest's key.

use infra::vault::SubjectKey;
use schema::{
    Sealed, StreamId,
    body::{Party, PartyPatch},
    sealed::Personal,
    waitee::{self, Details},
};

pub(super) fn party(key: &SubjectKey, stream: StreamId, party: &Party) -> waitee::Party {
    let Party { name, party_size, phone, email, note, quoted_minutes, language } = party;
    waitee::Party {
        name: key.seal(stream, name),
        party_size: *party_size,
        phone: optional(key, stream, phone),
        email: optional(key, stream, email),
        note: optional(key, stream, note),
        quoted_minutes: *quoted_minutes,
        language: *language,
    }
}

pub(super) fn patch(key: &SubjectKey, stream: StreamId, patch: &PartyPatch) -> Details {
    let PartyPatch { name, party_size, phone, email, note, quoted_minutes, language } = patch;
    Details {
        name: optional(key, stream, name),
        party_size: *party_size,
        phone: phone.as_ref().map(|phone| optional(key, stream, phone)),
        email: email.as_ref().map(|email| optional(key, stream, email)),
        note: note.as_ref().map(|note| optional(key, stream, note)),
        quoted_minutes: *quoted_minutes,
        language: *language,
    }
}

fn optional<T: Personal>(key: &SubjectKey, stream: StreamId, value: &Option<T>) -> Option<Sealed<T>> {
    value.as_ref().map(|value| key.seal(stream, value))
}
