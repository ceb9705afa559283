//! Whether the time of a refused sign-in tells if there is such an account: a thousand tries with a wrong password and a
//! thousand with an unknown address, side by side, compared by rank (Mann and Whitney).
//!
//! `cargo bench --profile dev --bench sign_in` (two minutes). Exit code 1 when the two can be told apart.

use std::{process::ExitCode, time::Instant};

use futures::future::join_all;
use waitlist_tests::stage::Stage;

const TRIES: usize = 1_000; // of each kind
const AT_ONCE: usize = 4; // of each kind
const WINDOW_MS: i64 = 900_000; // what is counted per address and account is forgotten after this
const Z_MAX: f64 = 3.29; // one in a thousand by chance

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
            // Who goes first changes from round to round.
            let known = (one + round) % 2 == 0;
            let email =
                if known { account.email.clone() } else { format!("nobody{round}-{one}@example.com") };
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

/// The standard score of the rank sum; ties share their ranks.
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
