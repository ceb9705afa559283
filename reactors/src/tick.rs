//! The minute's look: what time alone brings about, and what nobody has done in time, is put on the queue of those who do it.
//!
//! It decides nothing: whoever is told looks into the log. So it may run twice at once, late, or on rows that are behind.

use std::time::Duration;

use infra::{Backend, Failure, rows::DueRow};
use schema::{
    StreamId, Time, WaitlistId,
    id::Category,
    table::{DUE_SHARDS, MAILS, USERS, WAITEES, WAITLISTS},
};
use tracing::{info, warn};

use crate::intent::{Errand, Intent};

/// Rows that are read, and intents that are sent, at once.
const PAGE_ROWS: usize = 200;

/// While so many intents wait, no more are added: who works them off is behind, and will be found by a later look.
const WAITING_MAX: usize = 10_000;

/// The most rows of one key of the index that one look takes; what is left is found by the next.
const ROWS_MAX: usize = 5_000;

/// For how long a deleted list is looked at. A party is left on one whose row came after the deletion, which is a matter of moments;
/// one whose row comes later still stays for its day.
const GONE_LOOKED_AT_MS: i64 = 3_600_000;

/// Of these, the most of one key of the index that one look takes: each costs a look at its board.
const GONE_MAX: usize = 200;

/// Parties that may be left on a deleted list.
const LEFT_MAX: usize = 500;

/// What one look came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Intents that were put on the queue.
    pub queued: usize,
    /// Whether some of what is due was left to the next look.
    pub cut_short: bool,
}

/// Of what something falls due.
#[derive(Clone, Copy)]
enum Due {
    Visits,
    Mails,
    Accounts,
    /// Lists that were deleted lately, for the parties that are left on them.
    GoneLists,
}

/// The handler of the tick lambda.
#[derive(Clone)]
pub struct Tick {
    backend: Backend,
}

impl Tick {
    /// Who looks through this backend's rows.
    #[must_use]
    pub fn new(backend: Backend) -> Self {
        Self { backend }
    }

    /// Looks once, now. At least half a read unit for each key of the index `due` and each of four tables.
    ///
    /// # Errors
    /// Rows cannot be read, or the queue does not answer: what is due is found by the next look.
    pub async fn look(&self) -> Result<Looked, Failure> {
        let waiting = self.backend.deliveries.waiting(WAITING_MAX).await;
        let waiting = waiting.map_err(|cause| Failure::passing("see how many intents wait", cause))?;
        if waiting >= WAITING_MAX {
            warn!(waiting, "who does what is due is behind; nothing is added");
            return Ok(Looked { queued: 0, cut_short: true });
        }
        let (now, mut looked) = (self.backend.clock.now(), Looked::default());
        let mut failed = None;
        // Lists that are gone come last: nobody waits for them.
        for due in [Due::Visits, Due::Mails, Due::Accounts, Due::GoneLists] {
            for shard in 0..DUE_SHARDS {
                match self.each_page(due, shard, now, &mut looked.queued).await {
                    Ok(cut_short) => looked.cut_short |= cut_short,
                    Err(failure) => {
                        warn!(shard, cause = failure.chain(), "could not look for some of what is due");
                        failed = Some(failure);
                    }
                }
            }
        }
        info!(queued = looked.queued, cut_short = looked.cut_short, "looked for what is due");
        failed.map_or(Ok(looked), Err)
    }

    /// Queues what is due, page by page. Whether something was left.
    async fn each_page(&self, due: Due, shard: u8, now: Time, queued: &mut usize) -> Result<bool, Failure> {
        let (table, since, most) = match due {
            Due::Visits => (WAITEES, Time::from_millis(0), ROWS_MAX),
            Due::Mails => (MAILS, Time::from_millis(0), ROWS_MAX),
            Due::Accounts => (USERS, Time::from_millis(0), ROWS_MAX),
            Due::GoneLists => (WAITLISTS, now.plus_millis(-GONE_LOOKED_AT_MS), GONE_MAX),
        };
        let (mut seen, mut start) = (0, None);
        while seen < most {
            let (rows, rest) =
                self.backend.rows.due(table, &shard.to_string(), (since, now), PAGE_ROWS, start).await?;
            seen += rows.len();
            let intents = self.intents(due, rows).await?;
            *queued += intents.len();
            self.queue(intents).await?;
            start = rest;
            if start.is_none() {
                return Ok(false);
            }
        }
        warn!(table = table.suffix, shard, "more is due than one look takes");
        Ok(true)
    }

    async fn intents(&self, due: Due, rows: Vec<DueRow>) -> Result<Vec<Intent>, Failure> {
        let category = match due {
            Due::Visits => Category::Waitee,
            Due::Mails => Category::Mail,
            Due::Accounts => Category::User,
            Due::GoneLists => {
                let mut left = Vec::new();
                for row in rows {
                    left.extend(self.backend.rows.on_board(WaitlistId(row.id), LEFT_MAX).await?);
                }
                return Ok(left.into_iter().map(|id| Intent::Clear { stream: id.into() }).collect());
            }
        };
        Ok(rows.into_iter().map(|row| Intent::Attend { stream: StreamId { category, id: row.id } }).collect())
    }

    async fn queue(&self, intents: Vec<Intent>) -> Result<(), Failure> {
        let bodies =
            intents.into_iter().map(|intent| Errand::looked(intent).body()).collect::<Result<Vec<_>, _>>()?;
        let sent = self.backend.deliveries.send_all(&bodies, Duration::ZERO).await;
        sent.map_err(|cause| Failure::passing("queue what is due", cause))
    }
}
