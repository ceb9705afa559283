//! Who is to be forgotten.

use schema::{Fact, StreamId, user, waitee};

use crate::intent::Intent;

/// The types of events that this follows from.
pub const TYPES: [&str; 2] = ["user.erased", "waitee.erased"];

/// What follows from a fact about an account.
#[must_use]
pub fn to_account(fact: &Fact<user::Event>) -> Vec<Intent> {
    match &fact.event {
        user::Event::Erased {} => forget(fact.stream),
        user::Event::Registered(_)
        | user::Event::Renamed { .. }
        | user::Event::EmailConfirmed {}
        | user::Event::ConfirmationAsked {}
        | user::Event::PasswordResetAsked {}
        | user::Event::PasswordChanged { .. }
        | user::Event::OperatorGranted {}
        | user::Event::OperatorRevoked {}
        | user::Event::Forgotten {} => Vec::new(),
    }
}

/// What follows from a fact about a visit.
#[must_use]
pub fn to_visit(fact: &Fact<waitee::Event>) -> Vec<Intent> {
    match &fact.event {
        waitee::Event::Erased {} => forget(fact.stream),
        waitee::Event::Joined(_)
        | waitee::Event::DetailsChanged(_)
        | waitee::Event::Called { .. }
        | waitee::Event::Confirmed(_)
        | waitee::Event::Seated(_)
        | waitee::Event::Left(_)
        | waitee::Event::Removed(_)
        | waitee::Event::NoShow(_)
        | waitee::Event::Restored(_)
        | waitee::Event::Moved { .. }
        | waitee::Event::Forgotten {} => Vec::new(),
    }
}

fn forget(stream: StreamId) -> Vec<Intent> {
    vec![Intent::Forget { stream }]
}

#[cfg(test)]
mod tests {
    use schema::{DomainEvent, Time, UserId, WaiteeId, waitee::Why};
    use uuid::Uuid;

    use super::*;

    fn fact<E>(stream: StreamId, event: E) -> Fact<E> {
        Fact { stream, seq: 7, at: Time::from_millis(0), tenant: UserId(Uuid::nil()), event }
    }

    #[test]
    fn who_is_erased_is_to_be_forgotten() {
        let (account, visit) = (UserId(Uuid::from_u128(7)).into(), WaiteeId(Uuid::from_u128(7)).into());
        assert_eq!(to_account(&fact(account, user::Event::Erased {})), [Intent::Forget { stream: account }]);
        assert_eq!(to_visit(&fact(visit, waitee::Event::Erased {})), [Intent::Forget { stream: visit }]);
    }

    #[test]
    fn nothing_follows_from_the_rest() {
        let (account, visit) = (UserId(Uuid::from_u128(7)).into(), WaiteeId(Uuid::from_u128(7)).into());
        assert_eq!(to_account(&fact(account, user::Event::Forgotten {})), []);
        assert_eq!(to_account(&fact(account, user::Event::EmailConfirmed {})), []);
        assert_eq!(to_visit(&fact(visit, waitee::Event::Forgotten {})), []);
        assert_eq!(to_visit(&fact(visit, waitee::Event::Removed(Why::default()))), []);
    }

    #[test]
    fn the_filter_lets_through_what_something_follows_from() {
        assert_eq!([user::Event::Erased {}.type_name(), waitee::Event::Erased {}.type_name()], TYPES);
    }
}
