//! Decisions about a session.

use schema::{
    Problem, Slug, Time, UserId,
    session::{Event, State},
};

use super::Session;
use crate::Decider;

/// The validity of a refresh token: a month, as restaurants close for the summer.
pub const REFRESH_TTL_MS: i64 = 30 * 24 * 3_600 * 1_000;

/// An exchanged refresh token gets the same successor again for this long, unless that successor was used:
/// its answer may have been lost, and the network may be down for a while.
///
/// The successor's use needs no event of its own: it is exchanged for the next number, which makes the old
/// token older than the previous one.
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
    /// Starts a session of a user whose password was right.
    Start(UserId, Standing),
    /// Exchanges the refresh token of this number. The token is genuine, and no event of the account ends the
    /// session.
    Refresh(u32, Standing),
    /// Signs out.
    Revoke,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The session has ended, or no such token was issued.
    Void,
}

impl Decider for Session {
    type Command = Command;
    type Refusal = Refusal;

    fn decide(&self, command: &Command, now: Time) -> Result<Vec<Event>, Refusal> {
        let renewed = |user, number, Standing { seq, operator }| State {
            user,
            user_seq: seq,
            operator,
            number,
            refreshed_at: now,
            expires_at: now.plus_millis(REFRESH_TTL_MS),
        };
        let state = match (self, *command) {
            (Session::None, Command::Start(user, standing)) => {
                return Ok(vec![Event::Started(renewed(user, 1, standing))]);
            }
            (Session::Ended, Command::Revoke) => return Ok(vec![]),
            (Session::None | Session::Ended, _) => return Err(Refusal::Void),
            (Session::Live(state), _) => state,
        };
        match *command {
            Command::Start(..) => Ok(vec![]),
            Command::Revoke => Ok(vec![Event::Revoked(state.clone())]),
            Command::Refresh(..) if now >= state.expires_at => Err(Refusal::Void),
            Command::Refresh(number, standing) if number == state.number => {
                let next = number.checked_add(1).ok_or(Refusal::Void)?;
                Ok(vec![Event::Refreshed(renewed(state.user, next, standing))])
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
}

impl From<Refusal> for Problem {
    fn from(Refusal::Void: Refusal) -> Self {
        Self::new(Slug::InvalidRefreshToken, "Sign in again.")
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::spec::{at, given};

    const ANA: UserId = UserId(Uuid::from_u128(7));
    const KNOWN: Standing = Standing { seq: 3, operator: false };

    fn state(number: u32, refreshed_ms_ago: i64) -> State {
        let refreshed_at = at(-refreshed_ms_ago);
        State {
            user: ANA,
            user_seq: 1,
            operator: false,
            number,
            refreshed_at,
            expires_at: refreshed_at.plus_millis(REFRESH_TTL_MS),
        }
    }

    fn started(refreshed_ms_ago: i64) -> Event {
        Event::Started(state(1, refreshed_ms_ago))
    }

    fn refreshed(number: u32, refreshed_ms_ago: i64) -> Event {
        Event::Refreshed(state(number, refreshed_ms_ago))
    }

    fn refreshed_now(number: u32) -> Event {
        Event::Refreshed(State { user_seq: KNOWN.seq, ..state(number, 0) })
    }

    fn refresh(number: u32) -> Command {
        Command::Refresh(number, KNOWN)
    }

    #[test]
    fn a_session_starts_with_its_first_token() {
        let first = State { user_seq: KNOWN.seq, ..state(1, 0) };
        given([]).when(Command::Start(ANA, KNOWN)).then([Event::Started(first)]);
    }

    #[test]
    fn a_token_is_exchanged_for_the_next_which_records_the_account_as_it_is_now() {
        given([started(60_000)]).when(refresh(1)).then([refreshed_now(2)]);
        given([refreshed(3_000, 60_000)]).when(refresh(3_000)).then([refreshed_now(3_001)]);
    }

    #[test]
    fn the_previous_token_gets_the_same_successor_within_the_grace_period() {
        given([refreshed(2, REFRESH_GRACE_MS)]).when(refresh(1)).then_nothing();
        let late = REFRESH_GRACE_MS + 1;
        given([refreshed(2, late)]).when(refresh(1)).then([Event::ReuseDetected(state(2, late))]);
    }

    #[test]
    fn the_old_token_is_void_once_its_successor_was_used() {
        let used = [started(2_000), refreshed(2, 1_000), refreshed(3, 0)];
        given(used).when(refresh(1)).then([Event::ReuseDetected(state(3, 0))]);
    }

    #[test]
    fn an_older_token_ends_the_session_at_once() {
        given([refreshed(3, 0)]).when(refresh(1)).then([Event::ReuseDetected(state(3, 0))]);
    }

    #[test]
    fn a_number_that_was_not_issued_yet_is_void() {
        given([started(0)]).when(refresh(2)).then_refused(Refusal::Void);
    }

    #[test]
    fn a_token_expires() {
        given([started(REFRESH_TTL_MS)]).when(refresh(1)).then_refused(Refusal::Void);
        given([started(REFRESH_TTL_MS - 1)]).when(refresh(1)).then([refreshed_now(2)]);
    }

    #[test]
    fn a_session_that_ended_stays_ended() {
        given([started(0)]).when(Command::Revoke).then([Event::Revoked(state(1, 0))]);
        for end in [Event::Revoked(state(2, 0)), Event::ReuseDetected(state(2, 0))] {
            given([end.clone()]).when(refresh(2)).then_refused(Refusal::Void);
            given([end]).when(Command::Revoke).then_nothing();
        }
    }
}
