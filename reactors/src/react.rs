//! What follows outside the log from a fact.

use schema::StreamId;

use crate::intent::Intent;

/// The types of events that anything follows from: all that the stream's filter has to let through.
pub const TYPES: [&str; 6] = [
    "user.registered",
    "user.confirmation-asked",
    "user.password-reset-asked",
    "user.erased",
    "waitee.called",
    "waitee.erased",
];

/// What follows from an event of this type in this stream. What exactly happened is read from the log by whoever acts on it, so
/// an event of a shape that only newer code knows is no riddle here.
#[must_use]
pub fn react(stream: StreamId, kind: &str) -> Option<Intent> {
    match kind {
        "user.registered" | "user.confirmation-asked" | "user.password-reset-asked" | "waitee.called" => {
            Some(Intent::Attend { stream })
        }
        "user.erased" | "waitee.erased" => Some(Intent::Forget { stream }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use schema::{DomainEvent as _, UserId, session, user, waitee, waitlist};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn something_follows_from_what_the_filter_lets_through_and_from_nothing_else() {
        let stream = UserId(Uuid::from_u128(7)).into();
        let kinds = [user::Event::TYPES, waitee::Event::TYPES, waitlist::Event::TYPES, session::Event::TYPES]
            .concat();
        for (kind, _) in &kinds {
            assert_eq!(react(stream, kind).is_some(), TYPES.contains(kind), "{kind}");
        }
        assert!(TYPES.iter().all(|kind| kinds.iter().any(|(known, _)| known == kind)));
    }

    #[test]
    fn who_is_erased_is_to_be_forgotten_and_who_is_called_to_be_told() {
        let stream = UserId(Uuid::from_u128(7)).into();
        assert_eq!(react(stream, "waitee.erased"), Some(Intent::Forget { stream }));
        assert_eq!(react(stream, "waitee.called"), Some(Intent::Attend { stream }));
    }
}
