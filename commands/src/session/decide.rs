//! Decisions about a session.

use schema::{
    Time, UserId,
    session::{Event, State},
};

use super::Session;

/// The validity of a refresh token: a month, as restaurants close for the summer.
pub const REFRESH_TTL_MS: i64 = 30 * 24 * 3_600 * 1_000;

/// An exchanged refresh token gets the same successor again for this long, unless that successor was used: its answer may have been
/// lost, and the network may be down for a while.
///
/// The successor's use needs no event of its own: it is exchanged for the next number, which makes the old token older than the
/// previous one.
pub const REFRESH_GRACE_MS: i64 = 10 * 60_000;

/// The part of an account that its sessions depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Number of the account's last event.
    pub seq: u64,
    pub operator: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// The password was right.
    Start(UserId, Standing),
    /// A genuine refresh token of this number was sent, and no event of the account ends the session.
    Refresh(u32, Standing),
    /// The owner signs out.
    Revoke,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The session has ended, or no such token was issued.
    Void,
}

/// The events that a command leads to; none for a repetition.
///
/// # Errors
/// The command is refused.
pub fn decide(session: &Session, command: &Command, now: Time) -> Result<Vec<Event>, Refusal> {
    let expires_at = now.plus_millis(REFRESH_TTL_MS);
    let state = match (session, command) {
        (Session::None, Command::Start(user, Standing { seq, operator })) => {
            let state = State {
                user: *user,
                user_seq: *seq,
                operator: *operator,
                number: 1,
                refreshed_at: now,
                expires_at,
            };
            return Ok(vec![Event::Started(state)]);
        }
        (Session::Ended, Command::Revoke) => return Ok(vec![]),
        (Session::None | Session::Ended, _) => return Err(Refusal::Void),
        (Session::Live(state), _) => state,
    };
    match *command {
        Command::Start(..) => Ok(vec![]),
        Command::Revoke => Ok(vec![Event::Revoked(state.clone())]),
        Command::Refresh(..) if now >= state.expires_at => Err(Refusal::Void),
        Command::Refresh(number, Standing { seq, operator }) if number == state.number => {
            let number = number.checked_add(1).ok_or(Refusal::Void)?;
            Ok(vec![Event::Refreshed(State {
                user: state.user,
                user_seq: seq,
                operator,
                number,
                refreshed_at: now,
                expires_at,
            })])
        }
        Command::Refresh(number, _) if number > state.number => Err(Refusal::Void),
        Command::Refresh(number, _)
            if number + 1 == state.number && now <= state.refreshed_at.plus_millis(REFRESH_GRACE_MS) =>
        {
            Ok(vec![])
        }
        Command::Refresh(..) => Ok(vec![Event::ReuseDetected(state.clone())]),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::spec::{NOW_MS, given};

    const ANA: UserId = UserId(Uuid::from_u128(7));
    const KNOWN: Standing = Standing { seq: 3, operator: false };

    fn state(number: u32, refreshed_ms_ago: i64) -> State {
        let refreshed_at = Time::from_millis(NOW_MS - refreshed_ms_ago);
        State {
            user: ANA,
            user_seq: 1,
            operator: false,
            number,
            refreshed_at,
            expires_at: refreshed_at.plus_millis(REFRESH_TTL_MS),
        }
    }

    fn after(event: Event, command: Command) -> Result<Vec<Event>, Refusal> {
        given::<Session>(vec![event]).when(|session, now| decide(session, &command, now))
    }

    fn refreshed_now(number: u32) -> Event {
        Event::Refreshed(State { user_seq: KNOWN.seq, ..state(number, 0) })
    }

    #[test]
    fn a_session_starts_with_its_first_token() {
        let started =
            given::<Session>(vec![]).when(|session, now| decide(session, &Command::Start(ANA, KNOWN), now));
        assert_eq!(started, Ok(vec![Event::Started(State { user_seq: KNOWN.seq, ..state(1, 0) })]));
    }

    #[test]
    fn a_token_is_exchanged_for_the_next_and_knows_what_the_account_has_become() {
        assert_eq!(
            after(Event::Started(state(1, 60_000)), Command::Refresh(1, KNOWN)),
            Ok(vec![refreshed_now(2)])
        );
        assert_eq!(
            after(Event::Refreshed(state(3_000, 60_000)), Command::Refresh(3_000, KNOWN)),
            Ok(vec![refreshed_now(3_001)])
        );
    }

    #[test]
    fn a_lost_answer_can_be_asked_for_again_for_a_while() {
        let again = |ago| after(Event::Refreshed(state(2, ago)), Command::Refresh(1, KNOWN));
        assert_eq!(again(REFRESH_GRACE_MS), Ok(vec![]));
        assert_eq!(
            again(REFRESH_GRACE_MS + 1),
            Ok(vec![Event::ReuseDetected(state(2, REFRESH_GRACE_MS + 1))])
        );
    }

    #[test]
    fn the_old_token_is_void_once_its_successor_was_used() {
        let (first, second, third) = (state(1, 2_000), state(2, 1_000), state(3, 0));
        let used = vec![Event::Started(first), Event::Refreshed(second), Event::Refreshed(third.clone())];
        let old =
            given::<Session>(used).when(|session, now| decide(session, &Command::Refresh(1, KNOWN), now));
        assert_eq!(old, Ok(vec![Event::ReuseDetected(third)]));
    }

    #[test]
    fn an_older_token_ends_the_session_at_once() {
        assert_eq!(
            after(Event::Refreshed(state(3, 0)), Command::Refresh(1, KNOWN)),
            Ok(vec![Event::ReuseDetected(state(3, 0))])
        );
    }

    #[test]
    fn a_number_that_was_not_given_out_yet_is_void() {
        assert_eq!(after(Event::Started(state(1, 0)), Command::Refresh(2, KNOWN)), Err(Refusal::Void));
    }

    #[test]
    fn a_token_runs_out() {
        assert_eq!(
            after(Event::Started(state(1, REFRESH_TTL_MS)), Command::Refresh(1, KNOWN)),
            Err(Refusal::Void)
        );
        assert!(after(Event::Started(state(1, REFRESH_TTL_MS - 1)), Command::Refresh(1, KNOWN)).is_ok());
    }

    #[test]
    fn what_has_ended_stays_so() {
        for end in [Event::Revoked(state(2, 0)), Event::ReuseDetected(state(2, 0))] {
            assert_eq!(after(end.clone(), Command::Refresh(2, KNOWN)), Err(Refusal::Void));
            assert_eq!(after(end, Command::Revoke), Ok(vec![]));
        }
        assert_eq!(
            after(Event::Started(state(1, 0)), Command::Revoke),
            Ok(vec![Event::Revoked(state(1, 0))])
        );
    }
}
