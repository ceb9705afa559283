//! Repeats reads of commands that scan the whole log for minutes, so that one slow answer does not end them.

use std::time::Duration;

use infra::{Clock, Failure};

const ATTEMPTS_MAX: u32 = 5;
/// The pause before the second attempt. It doubles before each further one.
const PAUSE: Duration = Duration::from_millis(500);

/// Reads again while the failure may pass. An attempt includes those of the SDK.
///
/// # Errors
/// The failure of the last attempt.
pub(crate) async fn again<T, F>(clock: &Clock, read: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    for attempt in 1..ATTEMPTS_MAX {
        match read().await {
            Err(failure) if failure.is_passing() => clock.sleep(PAUSE * (1 << (attempt - 1))).await,
            done => return done,
        }
    }
    read().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use schema::Time;

    use super::*;

    #[tokio::test]
    async fn a_read_is_repeated_while_its_failure_may_pass() {
        for (passing, broken, attempts) in
            [(0, false, 1), (4, false, 5), (5, false, 5), (0, true, 1), (2, true, 3)]
        {
            let clock = Clock::fixed(Time::from_millis(0));
            let calls = Cell::new(0);
            let read = || async {
                calls.set(calls.get() + 1);
                match calls.get() {
                    call if call <= passing => Err(Failure::passing("scan", "throttled")),
                    _ if broken => Err(Failure::broken("scan", "no table")),
                    _ => Ok(()),
                }
            };
            let done = again(&clock, read).await;
            assert_eq!(done.is_ok(), !broken && passing < 5, "{passing} {broken}");
            assert_eq!(calls.get(), attempts, "{passing} {broken}");
        }
    }
}
