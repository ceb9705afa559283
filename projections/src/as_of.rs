//! The parameter `as_of`: a read shows the present, or what was recorded up to an earlier time.

use infra::http::Call;
use schema::{Problem, Time, sync::SyncToken, time::NotATime};

use crate::complete::{COMPLETE_AFTER_MS, complete_until};

/// The time that a read shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// The present, from rows at least as fresh as these tokens demand.
    Now(Vec<SyncToken>),
    /// The commits up to and including this time, from the log.
    AsOf(Time),
}

impl When {
    /// The time of a request, from its parameter `as_of` and its Sync-Tokens.
    ///
    /// # Errors
    /// The parameter does not parse or is later than [`complete_until`], or stands beside Sync-Tokens.
    pub(crate) fn of(call: &Call<'_>, as_of: Option<&str>, now: Time) -> Result<Self, Problem> {
        let tokens = call.sync_tokens()?;
        let Some(text) = as_of else { return Ok(Self::Now(tokens)) };
        let at: Time = text.parse().map_err(|error: NotATime| {
            Problem::invalid_parameter("as_of", format!("{error}, with any + written as %2B"))
        })?;
        let until = complete_until(now);
        if at > until {
            let seconds = COMPLETE_AFTER_MS / 1_000;
            let detail = format!(
                "must be {until} or earlier, {seconds} seconds before now; leave it out to read the present"
            );
            return Err(Problem::invalid_parameter("as_of", detail));
        }
        if !tokens.is_empty() {
            let detail = "must be left out with as_of, which shows the commits of its time only";
            return Err(Problem::invalid_header("Sync-Token", detail));
        }
        Ok(Self::AsOf(at))
    }

    /// The Sync-Tokens of a read of the present.
    pub(crate) fn tokens(&self) -> &[SyncToken] {
        match self {
            Self::Now(tokens) => tokens,
            Self::AsOf(_) => &[],
        }
    }

    /// The time by which states that change with time are shown.
    pub(crate) fn shown_at(&self, now: Time) -> Time {
        match self {
            Self::Now(_) => now,
            Self::AsOf(at) => *at,
        }
    }
}
