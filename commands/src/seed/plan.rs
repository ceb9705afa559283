//! The courses of visits.

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;

/// A step of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Another number of people comes.
    Resize,
    Call,
    Confirm,
    Seat,
    Leave,
    Remove,
    NoShow,
    Restore,
}

/// A step, and the time since the one before.
pub(super) type Timed = (i64, Step);

/// A likely course: most parties are called and seated.
pub(super) fn likely(random: &mut fastrand::Rng) -> Vec<Timed> {
    let mut steps = Vec::new();
    if random.u8(0..100) < 10 {
        steps.push((random.i64(MINUTE_MS..6 * MINUTE_MS), Step::Resize));
    }
    let waits = random.i64(8 * MINUTE_MS..40 * MINUTE_MS);
    match random.u8(0..100) {
        0..8 => steps.push((waits, Step::Leave)),
        8..12 => steps.push((waits, Step::Remove)),
        12..18 => steps.extend([(waits, Step::Call), (10 * MINUTE_MS, Step::NoShow)]),
        18..22 => steps.extend([
            (waits, Step::Call),
            (10 * MINUTE_MS, Step::NoShow),
            (2 * MINUTE_MS, Step::Restore),
            (MINUTE_MS, Step::Seat),
        ]),
        22..60 => steps.extend([
            (waits, Step::Call),
            (random.i64(20 * SECOND_MS..2 * MINUTE_MS), Step::Confirm),
            (random.i64(MINUTE_MS..6 * MINUTE_MS), Step::Seat),
        ]),
        _ => steps.extend([(waits, Step::Call), (random.i64(MINUTE_MS..8 * MINUTE_MS), Step::Seat)]),
    }
    steps
}

/// A course of `count` steps, each one commit, at the end of which the party has left.
pub(super) fn of(count: usize) -> Vec<Timed> {
    let resizes = std::iter::repeat_n((MINUTE_MS, Step::Resize), count.saturating_sub(1));
    resizes.chain([(MINUTE_MS, Step::Leave)]).collect()
}
