//! Decides access to streams. Every handler that reads or writes a stream or its row asks here.
//!
//! Public data needs no check: the id of a list is enough to see its name and to join it.
//!
//! A refusal is a 404: any other answer would reveal that the id exists.

use crate::{
    Actor, Problem, StreamId, UserId,
    id::{Category, Component},
};

/// Whether `actor` may read or write a stream whose data belongs to `tenant`.
///
/// # Errors
/// 404 if it may not.
pub fn may(actor: Actor, stream: StreamId, tenant: UserId) -> Result<(), Problem> {
    let allowed = match actor {
        Actor::User(id) => tenant == id,
        Actor::Guest(visit) => stream == StreamId::from(visit),
        Actor::System(Component::Accounts) => stream.category == Category::Mail,
        Actor::System(Component::Operator) => {
            matches!(stream.category, Category::User | Category::Access | Category::Projection)
        }
        Actor::System(Component::Delivery) => {
            matches!(stream.category, Category::Mail | Category::Waitee)
        }
        Actor::System(Component::Eraser) => {
            matches!(stream.category, Category::User | Category::Waitee)
        }
        Actor::System(Component::Rebuild) => stream.category == Category::Projection,
        Actor::System(Component::Tick) => stream.category == Category::Waitee,
    };
    if allowed { Ok(()) } else { Err(Problem::not_found()) }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{MailId, SessionId, WaiteeId, WaitlistId, reading};

    const ANA: UserId = UserId(Uuid::from_u128(1));
    const BEN: UserId = UserId(Uuid::from_u128(2));

    fn streams() -> [StreamId; 7] {
        let id = Uuid::from_u128(7);
        [
            UserId(id).into(),
            MailId(id).into(),
            SessionId(id).into(),
            WaitlistId(id).into(),
            WaiteeId(id).into(),
            reading::stream_of(UserId(id)),
            StreamId { category: Category::Projection, id },
        ]
    }

    #[test]
    fn an_account_may_access_its_own_streams_only() {
        for stream in streams() {
            assert!(may(Actor::User(ANA), stream, ANA).is_ok(), "{stream}");
            assert!(may(Actor::User(ANA), stream, BEN).is_err(), "{stream}");
        }
    }

    #[test]
    fn a_guest_may_access_their_own_visit_only() {
        for stream in streams() {
            assert_eq!(
                may(Actor::Guest(WaiteeId(Uuid::from_u128(7))), stream, ANA).is_ok(),
                stream.category == Category::Waitee
            );
            assert!(may(Actor::Guest(WaiteeId(Uuid::from_u128(8))), stream, ANA).is_err(), "{stream}");
        }
    }

    #[test]
    fn a_component_may_access_the_categories_that_it_serves() {
        let allowed = |component| streams().map(|stream| may(Actor::System(component), stream, ANA).is_ok());
        assert_eq!(allowed(Component::Accounts), [false, true, false, false, false, false, false]);
        assert_eq!(allowed(Component::Operator), [true, false, false, false, false, true, true]);
        assert_eq!(allowed(Component::Eraser), [true, false, false, false, true, false, false]);
        assert_eq!(allowed(Component::Delivery), [false, true, false, false, true, false, false]);
        assert_eq!(allowed(Component::Tick), [false, false, false, false, true, false, false]);
        assert_eq!(allowed(Component::Rebuild), [false, false, false, false, false, false, true]);
    }
}
