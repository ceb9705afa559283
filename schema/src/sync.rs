//! Sync-Tokens. A write answers with one, and a read that sends it back shows that write.

use std::{fmt, str::FromStr};

use crate::{StreamId, check::whole_number};

/// The most tokens of one read.
pub const SYNC_TOKENS_MAX: usize = 16;

/// `<stream>@<seq>`: the read must show the stream's event `seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncToken {
    pub stream: StreamId,
    pub seq: u64,
}

#[derive(Debug, thiserror::Error)]
#[error(
    "must be up to {SYNC_TOKENS_MAX} tokens, comma-separated, each returned by one of this account's writes"
)]
pub struct NotASyncToken;

impl SyncToken {
    /// Reads the value of a `Sync-Token` header.
    ///
    /// # Errors
    /// A part is no token, or there are too many.
    pub fn parse_list(header: &str) -> Result<Vec<Self>, NotASyncToken> {
        let tokens: Vec<Self> =
            header.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>()?;
        if tokens.len() > SYNC_TOKENS_MAX { Err(NotASyncToken) } else { Ok(tokens) }
    }
}

impl fmt::Display for SyncToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.stream, self.seq)
    }
}

impl FromStr for SyncToken {
    type Err = NotASyncToken;

    fn from_str(text: &str) -> Result<Self, NotASyncToken> {
        let (stream, seq) = text.split_once('@').ok_or(NotASyncToken)?;
        let seq = whole_number(seq).filter(|seq| *seq > 0).ok_or(NotASyncToken)?;
        Ok(Self { stream: stream.parse().map_err(|_| NotASyncToken)?, seq })
    }
}
