//! Measures whether the time of a refused sign-in reveals that the account exists. A thousand sign-ins with a
//! wrong password and a thousand with an unknown address run side by side and are compared by rank
//! (Mann-Whitney U test).
//!
//! `cargo bench --profile dev --bench sign_in` (two minutes). Exits with 1 when the two can be told apart.

use std::{process::ExitCode, time::Instant};

use futures::future::join_all;
use waitlist_tests::stage::Stage;

const TRIES: usize = 1_000; // of each kind
const AT_ONCE: usize = 4; // of each kind
const WINDOW_MS: i64 = 900_000; // the longest window in which attempts to sign in are counted
const Z_MAX: f64 = 3.29; // exceeded by chance once in a thousand runs

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (mut wrong, mut unknown) = runtime.block_on(measure());
    let z = rank_difference(&wrong, &unknown);
    report("a wrong password", &mut wrong);
    report("an unknown address", &mut unknown);
    println!("difference by rank: z = {z:.2}; beyond {Z_MAX} the two can be told apart");
    if z.abs() > Z_MAX { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

async fn measure() -> (Vec<u128>, Vec<u128>) {
    let stage = Stage::new().await;
    let account = stage.account().await;
    let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
    for round in 0..TRIES / AT_ONCE {
        stage.backend.clock.advance_millis(WINDOW_MS);
        let tries = (0..2 * AT_ONCE).map(|one| {
            // The order changes from round to round.
            let known = (one + round) % 2 == 0;
            let email =
                if known { account.email.clone() } else { format!("unknown{round}-{one}@example.com") };
            let stage = &stage;
            async move {
                let begun = Instant::now();
                let answer = stage.sign_in(&email, "quite another long passphrase").await;
                assert_eq!(answer.status, 401, "{answer:?}");
                (known, begun.elapsed().as_micros())
            }
        });
        for (known, micros) in join_all(tries).await {
            if known { wrong.push(micros) } else { unknown.push(micros) }
        }
    }
    (wrong, unknown)
}

/// Returns the standard score of the rank sum. Ties share their ranks.
fn rank_difference(one: &[u128], other: &[u128]) -> f64 {
    let mut all: Vec<(u128, bool)> =
        one.iter().map(|t| (*t, true)).chain(other.iter().map(|t| (*t, false))).collect();
    all.sort_unstable();
    let mut sum = 0.0;
    for tied in all.chunk_by(|a, b| a.0 == b.0) {
        let before = all.partition_point(|entry| entry.0 < tied[0].0) as f64;
        let rank = before + (tied.len() as f64 + 1.0) / 2.0;
        sum += rank * tied.iter().filter(|entry| entry.1).count() as f64;
    }
    let (n, m) = (one.len() as f64, other.len() as f64);
    (sum - n * (n + m + 1.0) / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt()
}

fn report(what: &str, micros: &mut [u128]) {
    micros.sort_unstable();
    let at = |percent: usize| micros[(micros.len() - 1) * percent / 100] as f64 / 1_000.0;
    println!(
        "{what}: {} tries, ms at 5 %: {:.2}, median: {:.2}, at 95 %: {:.2}",
        micros.len(),
        at(5),
        at(50),
        at(95)
    );
}
