//! A gate that keeps the clock from moving while a handler runs, so that one handler sees one time.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// How long closing waits for running handlers. New handlers wait meanwhile, so it is short.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(10);

/// Handlers pass it while they run, and the clock is moved only while it is closed. Clones share one gate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<RwLock<()>>);

/// Held by a handler while it runs. Not re-entrant: with a closer queued between two passes, both deadlock.
#[derive(Debug)]
pub(crate) struct Running(#[expect(dead_code, reason = "held, not read")] OwnedRwLockReadGuard<()>);

/// No handler runs while this is held.
#[derive(Debug)]
pub(crate) struct Closed(#[expect(dead_code, reason = "held, not read")] OwnedRwLockWriteGuard<()>);

impl Gate {
    pub(crate) async fn pass(&self) -> Running {
        Running(self.0.clone().read_owned().await)
    }

    /// Holds back new handlers and waits for the running ones. `None` if that takes longer than [`WAIT_MAX`].
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
    async fn a_gate_closes_after_the_running_handlers_and_holds_back_new_ones() {
        let gate = Gate::default();
        let (one, other) = (gate.pass().await, gate.pass().await);
        let mut closing = Box::pin(gate.close());
        assert!(closing.as_mut().now_or_never().is_none());
        let mut late = Box::pin(gate.pass());
        assert!(
            late.as_mut().now_or_never().is_none(),
            "a gate that is about to close lets no new handler pass"
        );
        drop(one);
        assert!(closing.as_mut().now_or_never().is_none());
        drop(other);
        let closed = closing.await.unwrap();
        assert!(late.as_mut().now_or_never().is_none());
        drop(closed);
        late.await;
    }

    #[tokio::test]
    async fn a_handler_that_runs_too_long_does_not_block_the_others() {
        let gate = Gate::default();
        let _endless = gate.pass().await;
        assert!(gate.close_within(Duration::from_millis(1)).await.is_none());
        gate.pass().await;
    }
}
