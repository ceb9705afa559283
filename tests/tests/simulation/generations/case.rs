//! Generated changes of roles, with deliveries of doorbells meanwhile.

use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{
    history::{History, history},
    records::{Image, image},
};

const STREAMS_MAX: usize = 4;
const ROUNDS_MAX: usize = 7;
const APPENDS_MAX: usize = 5;
const RINGS_MAX: usize = 6;

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) histories: Vec<History>,
    pub(super) rounds: Vec<Round>,
    /// The last doorbell of each stream.
    pub(super) last: Vec<Ring>,
}

/// Appends some commits, then rings some doorbells through both feeds while the roles change.
#[derive(Clone, Debug)]
pub(super) struct Round {
    /// The streams that get one commit each.
    pub(super) appends: Vec<Index>,
    pub(super) rings: Vec<Ring>,
    /// Selects one of the changes that are possible.
    pub(super) change: Option<u8>,
    /// Of so many calls to generations that are not live, one is answered; of one, all.
    pub(super) throttle: usize,
    /// Whether the late feed reads the set after the round.
    pub(super) refresh: bool,
}

/// A record that is delivered: of any commit appended so far, so that a record may come never, once, repeatedly,
/// early or late.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    pub(super) commit: Index,
    pub(super) image: Image,
    /// Whether the feed that knows of changes late gets it.
    pub(super) late: bool,
    /// Whether the record starts a new batch.
    pub(super) cut: bool,
}

fn ring() -> impl Strategy<Value = Ring> {
    (any::<Index>(), image(), any::<bool>(), prop::bool::weighted(0.4))
        .prop_map(|(commit, image, late, cut)| Ring { commit, image, late, cut })
}

fn round() -> impl Strategy<Value = Round> {
    let (appends, rings) = (vec(any::<Index>(), 0..APPENDS_MAX), vec(ring(), 0..RINGS_MAX));
    (appends, rings, prop::option::weighted(0.8, any::<u8>()), 1..4_usize, prop::bool::weighted(0.2))
        .prop_map(|(appends, rings, change, throttle, refresh)| Round {
            appends,
            rings,
            change,
            throttle,
            refresh,
        })
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    (vec(history(), 1..STREAMS_MAX), vec(round(), 1..ROUNDS_MAX), vec(ring(), STREAMS_MAX))
        .prop_map(|(histories, rounds, last)| Case { histories, rounds, last })
}
