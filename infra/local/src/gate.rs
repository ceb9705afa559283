//! Lets the clock be moved only while no handler runs: what one handler sees of the time is one time.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// For how long running handlers are waited for. Those that come meanwhile wait too, so it is short.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(10);

/// Handlers pass it while they run. Clones are one gate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<RwLock<()>>);

/// A handler runs for as long as this lives. A handler that passed must not pass once more: between the two may stand who
/// wants the gate closed, and then each waits for the other.
#[derive(Debug)]
pub(crate) struct Running(#[expect(dead_code, reason = "held, not read")] OwnedRwLockReadGuard<()>);

/// No handler runs for as long as this lives.
#[derive(Debug)]
pub(crate) struct Closed(#[expect(dead_code, reason = "held, not read")] OwnedRwLockWriteGuard<()>);

impl Gate {
    /// Waits until the gate is open.
    pub(crate) async fn pass(&self) -> Running {
        Running(self.0.clone().read_owned().await)
    }

    /// Lets nobody pass any more and waits until all who did are through; none when that takes too long.
    pub(crate) async fn close(&self) -> Option<Closed> {
        self.close_within(WAIT_MAX).await
    }

    async fn close_within(&self, max: Duration) -> Option<Closed> {
        tokio::time::timeout(max, self.0.clone().write_owned()).await.ok().map(Closed)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_gate_closes_behind_the_last_who_passed_and_keeps_the_others_waiting() {
        let gate = Gate::default();
        let (one, other) = (gate.pass().await, gate.pass().await);
        let mut closing = Box::pin(gate.close());
        assert!(closing.as_mut().now_or_never().is_none());
        let mut late = Box::pin(gate.pass());
        assert!(late.as_mut().now_or_never().is_none(), "the gate is about to close");
        drop(one);
        assert!(closing.as_mut().now_or_never().is_none());
        drop(other);
        let closed = closing.await.unwrap();
        assert!(late.as_mut().now_or_never().is_none());
        drop(closed);
        late.await;
    }

    #[tokio::test]
    async fn who_runs_for_too_long_is_not_waited_for_and_nobody_else_has_to() {
        let gate = Gate::default();
        let _endless = gate.pass().await;
        assert!(gate.close_within(Duration::from_millis(1)).await.is_none());
        gate.pass().await;
    }
}
