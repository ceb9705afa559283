//! A made-up past of visits, for trying out and measuring. The events are decided by the commands' own code at the
//! given times, so their rows, boards and histories are like real ones.
//!
//! The guests leave neither a number nor an address, so no message is ever due. The same random numbers and times
//! lead to the same ids and events; keys and sealed values differ.

mod past;
mod plan;

use infra::{Failure, vault::SubjectKey};
use schema::{Commit, Time, UserId, WaiteeId, WaitlistId, waitlist};

use self::past::Past;

/// The list of the visits, and the time up to which they are made up.
#[derive(Clone, Debug)]
pub struct Scene {
    pub account: UserId,
    pub list: WaitlistId,
    pub state: waitlist::State,
    /// Later steps of a visit are left out.
    pub until: Time,
}

/// A visit that is to be made up.
#[derive(Clone, Copy, Debug)]
pub struct Guest {
    pub id: WaiteeId,
    pub joined_at: Time,
}

impl Guest {
    /// A guest who joins at this time.
    pub fn joining(random: &mut fastrand::Rng, joined_at: Time) -> Self {
        Self { id: WaiteeId(past::id(random, joined_at)), joined_at }
    }
}

/// The commits of a visit with a likely course. It ends, unless the scene ends before it.
///
/// # Errors
/// An event cannot be written, or a command is refused.
pub fn visit(
    scene: &Scene,
    guest: Guest,
    key: &SubjectKey,
    random: &mut fastrand::Rng,
) -> Result<Vec<Commit>, Failure> {
    let steps = plan::likely(random);
    let mut past = Past::of(scene, guest, key, random);
    past.join()?;
    past.follow(&steps)?;
    Ok(past.commits())
}

/// The commits of a visit that ends after `count` commits, at least one; fewer if the scene ends before.
///
/// # Errors
/// As [`visit`].
pub fn visit_of(
    scene: &Scene,
    guest: Guest,
    key: &SubjectKey,
    random: &mut fastrand::Rng,
    count: usize,
) -> Result<Vec<Commit>, Failure> {
    let mut past = Past::of(scene, guest, key, random);
    if count <= 1 {
        past.join_and_leave()?;
    } else {
        past.join()?;
        past.follow(&plan::of(count - 1))?;
    }
    Ok(past.commits())
}
