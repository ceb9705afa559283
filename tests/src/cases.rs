//! How often a property is tried on a real engine.

use proptest::test_runner::Config;

/// A case takes an engine tens of milliseconds; `PROPTEST_CASES` asks for more, or fewer.
const ENGINE_CASES: u32 = 32;

/// The configuration of a property whose every case writes to an engine.
#[must_use]
pub fn on_an_engine() -> Config {
    let chosen = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config::with_cases(chosen.unwrap_or(ENGINE_CASES))
}
