//! How many cases a property is tried with.

use std::env;

use proptest::test_runner::Config;

/// Steps in the search for a smaller failing case. Each plays a whole case on a real engine.
const SHRINKS_MAX: u32 = 256;

/// `PROPTEST_CASES` of them when that is set, as in CI; else `default`, for who waits at the keyboard.
#[must_use]
pub fn cases(default: u32) -> Config {
    let set = Config { failure_persistence: None, max_shrink_iters: SHRINKS_MAX, ..Config::default() };
    if env::var_os("PROPTEST_CASES").is_some() { set } else { Config { cases: default, ..set } }
}
