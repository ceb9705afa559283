//! Generated deliveries of doorbells.

use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{
    history::{History, history},
    records::{Image, image},
};

const STREAMS_MAX: usize = 4;

const ROUNDS_MAX: usize = 3;

const APPENDS_MAX: usize = 8;

const RINGS_MAX: usize = 7;

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) histories: Vec<History>,
    pub(super) rounds: Vec<Round>,
    /// The last doorbell of each stream, and its place among the rings of the last round.
    pub(super) last: Vec<(Index, Ring)>,
}

/// Appends some commits, then rings some doorbells on several shards at once.
#[derive(Clone, Debug)]
pub(super) struct Round {
    /// The streams that get one commit each.
    pub(super) appends: Vec<Index>,
    /// The doorbells, in the order within each shard.
    pub(super) rings: Vec<Ring>,
}

/// A record that is delivered: of the next commit in order, or of any commit appended so far, so that a
/// record may come never, once, repeatedly, early or late.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    pub(super) commit: Index,
    pub(super) in_turn: bool,
    pub(super) what: What,
    pub(super) shard: usize,
    /// Whether the record starts a new batch.
    pub(super) cut: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// The record of an appended commit.
    Insert(Image),
    /// The record of an event that was overwritten or removed. It raises an alarm and changes no row.
    Alteration(&'static str),
    /// Records that this code ignores.
    UnknownCategory,
    OtherCategory,
    NoKeys,
}

fn ring() -> impl Strategy<Value = Ring> {
    let what = prop_oneof![
        12 => image().prop_map(What::Insert),
        1 => prop::sample::select(vec!["MODIFY", "REMOVE"]).prop_map(What::Alteration),
        1 => prop_oneof![Just(What::UnknownCategory), Just(What::OtherCategory), Just(What::NoKeys)],
    ];
    (any::<Index>(), any::<bool>(), what, 0..3_usize, prop::bool::weighted(0.4))
        .prop_map(|(commit, in_turn, what, shard, cut)| Ring { commit, in_turn, what, shard, cut })
}

fn round() -> impl Strategy<Value = Round> {
    (vec(any::<Index>(), 0..APPENDS_MAX), vec(ring(), 0..RINGS_MAX))
        .prop_map(|(appends, rings)| Round { appends, rings })
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    let last = (any::<Index>(), ring(), image())
        .prop_map(|(place, ring, image)| (place, Ring { what: What::Insert(image), ..ring }));
    (vec(history(), 1..STREAMS_MAX), vec(round(), 1..ROUNDS_MAX), vec(last, STREAMS_MAX))
        .prop_map(|(histories, rounds, last)| Case { histories, rounds, last })
}
