//! The lambda functions that use a [`crate::Backend`], with their time-outs and the adapters that they need, and the queues. The
//! template `infra/template.yaml` is checked against these tables.

use std::time::Duration;

use crate::queue::Policy;

/// A lambda function.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Also the name of its binary.
    pub name: &'static str,
    pub time_out: Duration,
    /// The adapters with settings of their own that it uses. It is built without the others of this kind.
    pub needs: &'static [Need],
}

/// An adapter with settings of its own, or a single setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Wraps the keys of accounts.
    MasterKey,
    /// Sign and check access tokens.
    TokenKeys,
    /// The secret behind tokens in links, refresh tokens and counted attempts.
    Links,
    /// The key that hashes claimed e-mail addresses.
    Claims,
    Retries,
    Deliveries,
    Erasures,
    Rebuilds,
    Sweeps,
    /// Pointers to stream records that were given up.
    StreamFailures,
    /// The base of links.
    PublicUrl,
}

/// API Gateway's own limit is 30 s.
const HTTP_TIME_OUT: Duration = Duration::from_secs(29);
/// Room for several calls to a table, each of at most 3 s, and in `deliver` for a send of at most 10 s.
const EVENT_TIME_OUT: Duration = Duration::from_secs(30);

pub const AUTHORIZER: Function =
    Function { name: "authorizer", time_out: Duration::from_secs(10), needs: &[Need::TokenKeys] };
pub const ACCOUNTS: Function = Function {
    name: "accounts",
    time_out: HTTP_TIME_OUT,
    needs: &[Need::MasterKey, Need::TokenKeys, Need::Links, Need::Claims],
};
pub const HOSTS: Function = Function { name: "hosts", time_out: HTTP_TIME_OUT, needs: &[Need::MasterKey] };
pub const GUESTS: Function = Function {
    name: "guests",
    time_out: HTTP_TIME_OUT,
    needs: &[Need::MasterKey, Need::Links, Need::PublicUrl],
};
pub const READS: Function =
    Function { name: "reads", time_out: HTTP_TIME_OUT, needs: &[Need::MasterKey, Need::Links] };
pub const EXPORTS: Function =
    Function { name: "exports", time_out: HTTP_TIME_OUT, needs: &[Need::MasterKey] };
/// Work that failed too often is listed and redriven from every queue.
pub const OPERATIONS: Function = Function {
    name: "operations",
    time_out: HTTP_TIME_OUT,
    needs: &[Need::Retries, Need::Deliveries, Need::Erasures, Need::Rebuilds, Need::Sweeps],
};
pub const PROJECTOR: Function =
    Function { name: "projector", time_out: EVENT_TIME_OUT, needs: &[Need::Retries, Need::Rebuilds] };
pub const REACTOR: Function =
    Function { name: "reactor", time_out: EVENT_TIME_OUT, needs: &[Need::Deliveries, Need::Erasures] };
pub const DELIVER: Function = Function {
    name: "deliver",
    time_out: EVENT_TIME_OUT,
    needs: &[Need::MasterKey, Need::Links, Need::Deliveries, Need::Erasures, Need::PublicUrl],
};
pub const ERASER: Function = Function {
    name: "eraser",
    time_out: EVENT_TIME_OUT,
    needs: &[Need::MasterKey, Need::Claims, Need::Erasures],
};
/// Works on a message for 10 s, and sends the rest of its work as another one.
pub const REBUILD: Function =
    Function { name: "rebuild", time_out: EVENT_TIME_OUT, needs: &[Need::Retries, Need::Rebuilds] };
/// Works on a message for 10 s, and sends the rest of its work as another one.
pub const SWEEP: Function = Function {
    name: "sweep",
    time_out: EVENT_TIME_OUT,
    needs: &[Need::Retries, Need::Erasures, Need::Sweeps, Need::StreamFailures],
};
/// Less than the minute after which it is called again.
pub const TICK: Function =
    Function { name: "tick", time_out: Duration::from_secs(50), needs: &[Need::Deliveries, Need::Rebuilds] };

/// Every function that [`crate::Backend::from_env`] builds adapters for.
pub const FUNCTIONS: [&Function; 14] = [
    &AUTHORIZER,
    &ACCOUNTS,
    &HOSTS,
    &GUESTS,
    &READS,
    &EXPORTS,
    &OPERATIONS,
    &PROJECTOR,
    &REACTOR,
    &DELIVER,
    &ERASER,
    &REBUILD,
    &SWEEP,
    &TICK,
];

/// A queue with its consumer.
#[derive(Debug, PartialEq, Eq)]
pub struct QueueOf {
    pub name: &'static str,
    pub consumer: &'static Function,
    pub policy: Policy,
}

/// Lambda asks for a visibility time-out of at least this many times the consumer's time-out.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
pub const VISIBILITY_TIME_OUTS: u32 = 6;

/// A parked doorbell is tried five times, at intervals of three minutes, before it becomes a dead letter.
pub const RETRIES: QueueOf = queue("retries", &PROJECTOR, 5);

/// Ten more attempts after the first failure. A guest does not wait for them, because the tick queues unsent messages again each
/// minute.
pub const DELIVERIES: QueueOf = queue("deliveries", &DELIVER, 10);

/// A failing erasure is tried every three minutes, fifty times, before it becomes a dead letter.
pub const ERASURES: QueueOf = queue("erasures", &ERASER, 50);

/// A failing step of a rebuild is tried every three minutes for an hour before it becomes a dead letter. Redriven,
/// the rebuild goes on.
pub const REBUILDS: QueueOf = queue("rebuilds", &REBUILD, 20);

/// A failing sweep is tried every three minutes for an hour before it becomes a dead letter. The next one begins anew.
pub const SWEEPS: QueueOf = queue("sweeps", &SWEEP, 20);

pub const QUEUES: [&QueueOf; 5] = [&RETRIES, &DELIVERIES, &ERASURES, &REBUILDS, &SWEEPS];

/// Pointers to stream records that a mapping gave up: its failure destination. A sweep receives them at its end, and
/// leaves those in the queue that another sweep must answer.
pub const STREAM_FAILURES: QueueOf = QueueOf {
    name: "failed-batches",
    consumer: &SWEEP,
    policy: Policy { visibility: Duration::from_secs(30), attempts_max: u32::MAX },
};

const fn queue(name: &'static str, consumer: &'static Function, attempts_max: u32) -> QueueOf {
    let visibility = consumer.time_out.saturating_mul(VISIBILITY_TIME_OUTS);
    QueueOf { name, consumer, policy: Policy { visibility, attempts_max } }
}
