//! The number of cases of property tests.

use std::{env, thread};

use proptest::test_runner::Config;
use tokio::runtime::{Builder, Runtime};

/// The most steps in the search for a smaller failing case. Each step runs a whole case on a real engine.
const SHRINKS_MAX: u32 = 256;

/// The threads among which [`share_out`] shares cases.
const THREADS: u32 = 12;

/// Tries a property on several threads, for cases that mostly wait: for pauses between attempts, or for time-outs.
/// `property` gets the configuration of one thread's share of the cases, and makes what these need.
pub fn share_out(config: &Config, property: impl Fn(Config) + Sync) {
    let threads = THREADS.min(config.cases);
    let property = &property;
    thread::scope(|scope| {
        for thread in 0..threads {
            let cases = config.cases / threads + u32::from(thread < config.cases % threads);
            scope.spawn(move || property(Config { cases, ..config.clone() }));
        }
    });
}

/// A runtime for the cases of a property. It has one thread: handing each call to another one costs more than it gains.
/// Calls of a case still overlap, because an engine has threads of its own.
///
/// # Panics
/// The machine gives no resources.
#[must_use]
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Returns a configuration with `PROPTEST_CASES` cases if that is set, as in CI, and else with `default`
/// cases.
#[must_use]
pub fn cases(default: u32) -> Config {
    let set = Config { failure_persistence: None, max_shrink_iters: SHRINKS_MAX, ..Config::default() };
    if env::var_os("PROPTEST_CASES").is_some() { set } else { Config { cases: default, ..set } }
}

/// As [`cases`], but at most `max` cases, for properties of which each case tries many things and takes long.
#[must_use]
pub fn cases_up_to(max: u32, default: u32) -> Config {
    let config = cases(default);
    Config { cases: config.cases.min(max), ..config }
}
