//! Generated behaviour of handler, failure destination and process.

use proptest::prelude::*;

/// The handler's behaviour in one call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    TakeAll,
    FailFrom(usize),
    FailTwo(usize, usize),
    NameEmptyItem,
    NameUnknownItem,
    Error,
    Panic,
}

/// How the first run of the pump ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Interruption {
    Never,
    /// A shutdown during this call.
    Stop(usize),
    /// A kill during this call, before the handler did its work or, if true, after it.
    Kill(usize, bool),
}

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) records: usize,
    pub(super) batch_size: i32,
    pub(super) attempts_max: u32,
    pub(super) bisect: bool,
    pub(super) acts: Vec<Act>,
    pub(super) poison: Option<usize>,
    pub(super) destination_failures: usize,
    pub(super) interruption: Interruption,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::TakeAll),
        4 => (0..9_usize).prop_map(Act::FailFrom),
        2 => (0..9_usize, 0..9_usize).prop_map(|(one, other)| Act::FailTwo(one, other)),
        1 => Just(Act::NameEmptyItem),
        1 => Just(Act::NameUnknownItem),
        3 => Just(Act::Error),
        1 => Just(Act::Panic),
    ]
}

fn interruption() -> impl Strategy<Value = Interruption> {
    prop_oneof![
        Just(Interruption::Never),
        (0..6_usize).prop_map(Interruption::Stop),
        (0..6_usize, any::<bool>()).prop_map(|(call, after)| Interruption::Kill(call, after)),
    ]
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    let shape = (1..25_usize, 1..9_i32, 1..4_u32, any::<bool>());
    let behaviour =
        (prop::collection::vec(act(), 0..20), prop::option::of(0..25_usize), 0..3_usize, interruption());
    (shape, behaviour).prop_map(
        |(
            (records, batch_size, attempts_max, bisect),
            (acts, poison, destination_failures, interruption),
        )| Case {
            records,
            batch_size,
            attempts_max,
            bisect,
            acts,
            poison,
            destination_failures,
            interruption,
        },
    )
}
