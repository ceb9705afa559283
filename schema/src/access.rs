//! Access to streams: the one place that decides it. Every handler's reads and writes of a stream or its row go through here.
//!
//! Public data needs no check: the id of a list is enough to see its name and to join it.
//!
//! A refusal is a 404: any other answer would tell that the id exists.

use crate::{
    Actor, Problem, StreamId, UserId,
    id::{Category, Component},
};

/// Whether `actor` may read or write a stream whose data belongs to `tenant`.
///
/// # Errors
/// 404.
pub fn may(actor: Actor, stream: StreamId, tenant: UserId) -> Result<(), Problem> {
    let allowed = match actor {
        // An account has what is its own, and nothing else.
        Actor::User(id) => tenant == id,
        // A guest has the one visit.
        Actor::Guest(visit) => stream == StreamId::from(visit),
        Actor::System(Component::Accounts) => stream.category == Category::Mail,
        Actor::System(Component::Operator) => stream.category == Category::User,
        Actor::System(Component::Delivery) => {
            matches!(stream.category, Category::Mail | Category::Waitee)
        }
        Actor::System(Component::Eraser) => {
            matches!(stream.category, Category::User | Category::Waitee)
        }
        Actor::System(Component::Tick) => stream.category == Category::Waitee,
    };
    if allowed { Ok(()) } else { Err(Problem::not_found()) }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{MailId, SessionId, WaiteeId, WaitlistId};

    const ANA: UserId = UserId(Uuid::from_u128(1));
    const BEN: UserId = UserId(Uuid::from_u128(2));

    fn streams() -> [StreamId; 5] {
        let id = Uuid::from_u128(7);
        [
            UserId(id).into(),
            MailId(id).into(),
            SessionId(id).into(),
            WaitlistId(id).into(),
            WaiteeId(id).into(),
        ]
    }

    #[test]
    fn an_account_touches_its_own_and_nothing_else() {
        for stream in streams() {
            assert!(may(Actor::User(ANA), stream, ANA).is_ok(), "{stream}");
            assert!(may(Actor::User(ANA), stream, BEN).is_err(), "{stream}");
        }
    }

    #[test]
    fn a_guest_touches_their_own_visit_and_nothing_else_of_the_same_account() {
        for stream in streams() {
            assert_eq!(
                may(Actor::Guest(WaiteeId(Uuid::from_u128(7))), stream, ANA).is_ok(),
                stream.category == Category::Waitee
            );
            assert!(may(Actor::Guest(WaiteeId(Uuid::from_u128(8))), stream, ANA).is_err(), "{stream}");
        }
    }

    #[test]
    fn the_systems_parts_touch_only_the_streams_they_are_for() {
        let touched = |component| streams().map(|stream| may(Actor::System(component), stream, ANA).is_ok());
        assert_eq!(touched(Component::Accounts), [false, true, false, false, false]);
        assert_eq!(touched(Component::Operator), [true, false, false, false, false]);
        assert_eq!(touched(Component::Eraser), [true, false, false, false, true]);
        assert_eq!(touched(Component::Delivery), [false, true, false, false, true]);
        assert_eq!(touched(Component::Tick), [false, false, false, false, true]);
    }
}
