//! Reactions: the intents that follow from an event.

use schema::StreamId;

use crate::intent::Intent;

/// The event types that have a reaction; the stream's filter must let these through.
pub const TYPES: [&str; 4] = ["mail.asked", "user.erased", "waitee.called", "waitee.erased"];

/// The intent that follows from an event of this type. The event's data is not read here: the consumer reads
/// the log, so that an event whose shape only newer code knows can be queued as well.
pub fn react(stream: StreamId, kind: &str) -> Option<Intent> {
    match kind {
        "mail.asked" | "waitee.called" => Some(Intent::Attend { stream }),
        "user.erased" | "waitee.erased" => Some(Intent::Forget { stream }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use schema::{UserId, body::event_types};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn exactly_the_types_that_pass_the_filter_have_a_reaction() {
        let stream = UserId(Uuid::from_u128(7)).into();
        let kinds = event_types();
        for kind in &kinds {
            assert_eq!(react(stream, kind).is_some(), TYPES.contains(kind), "{kind}");
        }
        assert!(TYPES.iter().all(|kind| kinds.contains(kind)));
    }

    #[test]
    fn an_erasure_leads_to_forgetting_and_a_call_to_a_message() {
        let stream = UserId(Uuid::from_u128(7)).into();
        assert_eq!(react(stream, "waitee.erased"), Some(Intent::Forget { stream }));
        assert_eq!(react(stream, "waitee.called"), Some(Intent::Attend { stream }));
    }
}
