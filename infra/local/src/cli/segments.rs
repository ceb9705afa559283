//! The option `--segments` of commands that read the whole log.

use clap::Args;
use projections::verify::{SCANS_DEFAULT, SCANS_MAX};

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Segments {
    /// Scans of the table at once, 1 to 64. More cost the same read units in less time.
    #[arg(long, default_value_t = SCANS_DEFAULT, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(SCANS_MAX)))]
    pub(super) segments: u32,
}
