//! The events of an account since a session was last refreshed.

use infra::Failure;
use schema::{Commit, session::State, user::Event};

use super::Standing;

/// The account after the commits since `state.user_seq`; `None` when one of them ends every session.
pub fn standing(state: &State, since: &[Commit]) -> Result<Option<Standing>, Failure> {
    let mut standing = Standing { seq: state.user_seq, operator: state.operator };
    for commit in since {
        for fact in commit
            .facts::<Event>()
            .map_err(|cause| Failure::broken(format!("read {}", commit.stream), cause))?
        {
            standing.seq = fact.seq;
            match fact.event {
                Event::PasswordChanged { .. } | Event::Erased {} | Event::Forgotten {} => return Ok(None),
                Event::OperatorGranted {} => standing.operator = true,
                Event::OperatorRevoked {} => standing.operator = false,
                Event::Registered(_)
                | Event::Renamed { .. }
                | Event::EmailConfirmed {}
                | Event::TextsCapped { .. } => {}
            }
        }
    }
    Ok(Some(standing))
}
