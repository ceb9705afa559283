//! Visits whose commits are in the log, and their troubles.

use proptest::prelude::*;
use schema::{
    Commit, StreamId, UserId,
    commit::{Author, Tail},
    table::EVENTS,
    waitee::Event,
};
use uuid::Uuid;
use waitlist_tests::{
    mapping::{ALWAYS, Fate, Service, Trouble, Troubles},
    past,
    stage::Stage,
};

/// A visit as a case has it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// How often the guest is called.
    pub(super) calls: usize,
    pub(super) erased: bool,
    /// Whether each record comes twice.
    pub(super) doubled: bool,
    pub(super) fault: Fault,
}

/// The fault of a visit. Numbers count calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// Its last commit cannot be read.
    Unreadable,
    /// As before, and no queue takes messages about it.
    UnreadableAndRefused,
    Dies(u32),
    Hangs(u32),
    TablesRefuse(u32),
    QueuesRefuse(u32),
}

impl Fault {
    /// Whether records of the visit keep failing.
    pub(super) fn stays(self) -> bool {
        match self {
            Self::None | Self::Unreadable => false,
            Self::UnreadableAndRefused => true,
            Self::Dies(calls)
            | Self::Hangs(calls)
            | Self::TablesRefuse(calls)
            | Self::QueuesRefuse(calls) => calls == ALWAYS,
        }
    }

    /// The most invocations that fail because of it while it does not stay.
    pub(super) fn passing(self) -> u32 {
        match self {
            _ if self.stays() => 0,
            Self::None | Self::Unreadable | Self::UnreadableAndRefused => 0,
            Self::Dies(calls)
            | Self::Hangs(calls)
            | Self::TablesRefuse(calls)
            | Self::QueuesRefuse(calls) => {
                2 * calls // of each service
            }
        }
    }
}

/// A visit that is in the log.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) plan: Plan,
    pub(super) stream: StreamId,
    pub(super) commits: Vec<Commit>,
}

pub(super) fn plan() -> impl Strategy<Value = Plan> {
    let calls = || 1..=3_u32;
    let fault = prop_oneof![
        24 => Just(Fault::None),
        3 => Just(Fault::Unreadable),
        1 => Just(Fault::UnreadableAndRefused),
        2 => calls().prop_map(Fault::Dies),
        1 => Just(Fault::Dies(ALWAYS)),
        2 => calls().prop_map(Fault::Hangs),
        1 => Just(Fault::Hangs(ALWAYS)),
        2 => calls().prop_map(Fault::TablesRefuse),
        1 => Just(Fault::TablesRefuse(ALWAYS)),
        2 => calls().prop_map(Fault::QueuesRefuse),
        1 => Just(Fault::QueuesRefuse(ALWAYS)),
    ];
    (0..=2_usize, any::<bool>(), prop::bool::weighted(0.2), fault)
        .prop_map(|(calls, erased, doubled, fault)| Plan { calls, erased, doubled, fault })
}

/// Of the visits whose processes always end, only the first keeps its fault: each costs a start of the process per attempt.
pub(super) fn with_one_fatal(mut plans: Vec<Plan>) -> Vec<Plan> {
    let is_fatal = |fault| matches!(fault, Fault::Dies(ALWAYS) | Fault::Hangs(ALWAYS));
    for plan in plans.iter_mut().filter(|plan| is_fatal(plan.fault)).skip(1) {
        plan.fault = Fault::Unreadable;
    }
    for plan in plans.iter_mut().filter(|plan| is_fatal(plan.fault)) {
        (plan.calls, plan.erased, plan.doubled) = (1, false, false);
    }
    plans
}

/// Puts the visits into the log and their troubles in force.
pub(super) async fn begin(stage: &Stage, troubles: &Troubles, plans: &[Plan]) -> Vec<Visit> {
    let visits: Vec<Visit> = plans.iter().map(visit).collect();
    let commits = visits.iter().flat_map(|visit| visit.commits.clone());
    let (readable, unreadable): (Vec<_>, Vec<_>) = commits.partition(|commit| commit.types().is_ok());
    stage.put_past(&readable).await;
    for commit in unreadable {
        let put = stage.dynamodb.put_item().table_name(EVENTS.name(&stage.prefix));
        put.set_item(Some(serde_dynamo::to_item(commit).unwrap())).send().await.unwrap();
    }
    for visit in &visits {
        for (service, fate, calls) in met(visit.plan.fault) {
            troubles.add(Trouble { subject: visit.stream.id.to_string(), service, fate, calls });
        }
    }
    visits
}

fn visit(plan: &Plan) -> Visit {
    let stream = past::fresh_stream();
    // An account of its own, because an account's messages are spaced.
    let tenant = UserId(Uuid::from_u128(stream.id.as_u128().rotate_left(64)));
    let author = Author { tenant, ..past::author() };
    let mut commits = vec![past::next(stream, &Tail::EMPTY, &author, &[past::joined()])];
    let erased = plan.erased.then_some(Event::Erased {});
    for event in vec![past::called(); plan.calls].into_iter().chain(erased) {
        let tail = commits[commits.len() - 1].tail();
        commits.push(past::next(stream, &tail, &author, &[event]));
    }
    if matches!(plan.fault, Fault::Unreadable | Fault::UnreadableAndRefused) {
        let tail = commits[commits.len() - 1].tail();
        let mut unreadable = past::next(stream, &tail, &author, &[past::called()]);
        unreadable.events = "no list of events".into();
        unreadable.hash = unreadable.compute_hash();
        commits.push(unreadable);
    }
    Visit { plan: plan.clone(), stream, commits }
}

fn met(fault: Fault) -> Vec<(Service, Fate, u32)> {
    let both = |fate, calls| vec![(Service::Tables, fate, calls), (Service::Queues, fate, calls)];
    match fault {
        Fault::None | Fault::Unreadable => Vec::new(),
        Fault::UnreadableAndRefused => vec![(Service::Queues, Fate::Refused, ALWAYS)],
        Fault::Dies(calls) => both(Fate::Dies, calls),
        Fault::Hangs(calls) => both(Fate::Hangs, calls),
        Fault::TablesRefuse(calls) => vec![(Service::Tables, Fate::Refused, calls)],
        Fault::QueuesRefuse(calls) => vec![(Service::Queues, Fate::Refused, calls)],
    }
}
