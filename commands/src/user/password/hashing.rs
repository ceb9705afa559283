//! Hashing of passwords: on as many threads as the machine has cores, with a bounded queue before them.

use std::{
    mem,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    thread,
};

use argon2::{Argon2, Block};
use infra::Failure;
use schema::{Problem, Slug};
use tokio::sync::Semaphore;

/// The most hashes that wait for each thread. A hash takes some 30 ms, so the last one waits about a second.
const WAITING_PER_THREAD: usize = 32;

/// The `Retry-After` of a refused request, when the queue is shorter.
const RETRY_AFTER_S: u32 = 1;

/// Blocks of 1 KiB that are reserved for each hash. The C library returns allocations over 32 MiB to the
/// system when they are freed; it may keep smaller ones for good. Reserved blocks that are not used take no
/// memory.
const RESERVED_BLOCKS: usize = 33 * 1024;

static HASHING: LazyLock<Hashing> =
    LazyLock::new(|| Hashing::on(thread::available_parallelism().map_or(1, usize::from), WAITING_PER_THREAD));

/// Runs work that takes a core for a while, on a thread that serves no requests.
///
/// # Errors
/// 503 when the queue is full.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    HASHING.run(work).await
}

/// Hashes into `out`. The memory is used again by the next hash of the queue.
pub(super) fn hash_into(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    out: &mut [u8],
) -> argon2::Result<()> {
    let mut blocks = HASHING.pool().pop().unwrap_or_else(|| Vec::with_capacity(RESERVED_BLOCKS));
    blocks.resize(argon2.params().block_count(), Block::new());
    let hashed = argon2.hash_password_into_with_memory(password, salt, out, &mut blocks);
    HASHING.pool().push(blocks);
    hashed
}

struct Hashing {
    /// One for each hash that runs or waits.
    places: Semaphore,
    turns: Semaphore,
    threads: usize,
    /// Memory of finished hashes, at most one piece for each thread.
    pool: Mutex<Vec<Vec<Block>>>,
}

impl Hashing {
    fn on(threads: usize, waiting_per_thread: usize) -> Self {
        let places = Semaphore::new(threads * (1 + waiting_per_thread));
        Self { places, turns: Semaphore::new(threads), threads, pool: Mutex::default() }
    }

    async fn run<T: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let place = self.places.try_acquire().map_err(|_| busy())?;
        let turn =
            self.turns.acquire().await.map_err(|cause| Failure::broken("wait to hash a password", cause))?;
        // The work goes on when its client has gone, so the work itself holds the permits.
        let working = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((turn, place));
            self.give_back();
            done
        });
        working.await.map_err(|cause| Failure::broken("hash a password", cause))?
    }

    /// Frees the memory when no hash runs.
    fn give_back(&self) {
        if self.turns.available_permits() == self.threads {
            drop(mem::take(&mut *self.pool()));
        }
    }

    /// A poisoned lock is used all the same: each piece of memory is pushed or popped as a whole.
    fn pool(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn busy() -> Failure {
    let detail = "Too many passwords are being checked at the moment; try again shortly.";
    Problem { retry_after_s: Some(RETRY_AFTER_S), ..Problem::new(Slug::Unavailable, detail) }.into()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_the_waiting_hashes_run() {
        let hashing: &'static Hashing = Box::leak(Box::new(Hashing::on(2, 3)));
        let (open, gate) = mpsc::channel::<()>();
        let gate = std::sync::Arc::new(Mutex::new(gate));
        let running: Vec<_> = (0..8)
            .map(|_| {
                let gate = gate.clone();
                tokio::spawn(hashing.run(move || {
                    gate.lock().unwrap().recv_timeout(PATIENCE).unwrap();
                    Ok(())
                }))
            })
            .collect();
        while running.iter().filter(|task| task.is_finished()).count() > 0
            || hashing.places.available_permits() > 0
        {
            tokio::task::yield_now().await;
        }
        let Failure::Refused(problem) = hashing.run(|| Ok(())).await.unwrap_err() else {
            panic!("not refused")
        };
        assert_eq!((problem.slug, problem.retry_after_s), (Slug::Unavailable, Some(1)));
        (0..8).for_each(|_| open.send(()).unwrap());
        for task in running {
            task.await.unwrap().unwrap();
        }
        hashing.run(|| Ok(())).await.unwrap();
    }

    #[tokio::test]
    async fn the_hash_of_a_client_that_has_gone_keeps_its_thread_until_it_ends() {
        let hashing: &'static Hashing = Box::leak(Box::new(Hashing::on(1, 1)));
        let (open, gate) = mpsc::channel::<()>();
        let leaving = tokio::spawn(hashing.run(move || {
            gate.recv_timeout(PATIENCE).unwrap();
            Ok(())
        }));
        while hashing.turns.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        leaving.abort();
        assert!(leaving.await.unwrap_err().is_cancelled());
        assert_eq!(hashing.turns.available_permits(), 0, "it still hashes");
        open.send(()).unwrap();
        hashing.run(|| Ok(())).await.unwrap();
    }
}
