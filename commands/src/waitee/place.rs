//! The rank that a party gets when it is moved.

use schema::{Rank, Time, WaitlistId, body::MoveTo};

use super::{Refusal, Visit};

/// The party to move next to, as the log has it, and the rank of the party beyond it, as the board has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub waitlist: WaitlistId,
    /// Whether it is on the board.
    pub active: bool,
    pub rank: Rank,
    /// The rank of the party beyond it; `None` when it is the first or last.
    pub neighbour: Option<Rank>,
}

/// The new rank; `None` when the party already stands there.
pub(super) fn place(
    visit: &Visit,
    beside: MoveTo,
    target: Option<&Target>,
    now: Time,
) -> Result<Option<Rank>, Refusal> {
    let target = target
        .filter(|target| target.active && target.waitlist == visit.waitlist)
        .ok_or(Refusal::NotOnBoard)?;
    // Below the rank of the next party to join, so that it stands behind a party that was moved to the end.
    let end = Rank::joining(now);
    let (low, high) = match beside {
        MoveTo::Before(_) => (target.neighbour.as_ref(), Some(&target.rank)),
        MoveTo::After(_) => {
            (Some(&target.rank), target.neighbour.as_ref().or(Some(&end).filter(|end| **end > target.rank)))
        }
    };
    let stands_there = low.is_none_or(|low| *low < visit.rank) && high.is_none_or(|high| visit.rank < *high);
    if stands_there {
        return Ok(None);
    }
    Rank::between(low, high).map(Some).ok_or(Refusal::RankExhausted)
}
