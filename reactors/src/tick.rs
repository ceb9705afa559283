//! The tick: each minute it queues what time alone brings about, and what was left undone, for the deliver
//! lambda.
//!
//! It decides nothing, because the handler of each intent reads the log. So it may run twice at once, late,
//! or on rows that are behind. Accounts are served in turn: each gets its share of the queue
//! ([`infra::queue::FairShare`]), however much of what is due is one account's, and however many intents wait
//! already.

mod turns;

use std::time::Duration;

use infra::{
    Backend, Failure,
    rows::{Order, Page},
};
use schema::{
    StreamId, Time, WaitlistId,
    id::Category,
    table::{DUE_SHARDS, DueRow, MAILS, USERS, WAITEES, WAITLISTS},
};
use tracing::{info, warn};

use self::turns::Turns;
use crate::intent::{Errand, Intent};

/// Rows of one read of the index.
const PAGE_ROWS: usize = 500;

/// The most rows that one look reads under one key of the index: half of them from each end. Those due last
/// are looked at too, because the front may be full of rows of an account that has its share.
const ROWS_MAX: usize = 10_000;

/// While this many intents wait, a look adds only [`CROWDED_SHARE`] of each account.
const CROWDED: usize = 10_000;
const CROWDED_SHARE: usize = 10;

/// While this many intents wait, a look adds none: the deliver lambda does not work.
const WAITING_MAX: usize = 100_000;

/// The most intents that one look queues.
const QUEUED_MAX: usize = 20_000;

/// For how long after its deletion a list is looked at. A party is left on it when its row came after the
/// deletion, which is a matter of moments; a party whose row comes later still stays for its day.
const GONE_LOOKED_AT_MS: i64 = 3_600_000;

/// The most deleted lists whose boards one look reads, under one key of the index and of one account.
const GONE_MAX: usize = 200;
const GONE_OF_ACCOUNT_MAX: usize = 20;

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
#[derive(Clone, Copy, PartialEq, Eq)]
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
        let waiting = waiting.map_err(|cause| Failure::passing("count the intents that wait", cause))?;
        if waiting >= WAITING_MAX {
            warn!(waiting, "intents are not worked off; the tick adds none");
            return Ok(Looked { queued: 0, cut_short: true });
        }
        let now = self.backend.clock.now();
        let share = if waiting >= CROWDED { CROWDED_SHARE } else { usize::MAX };
        let mut turns = Turns::new(self.backend.fair.anew(), share, now);
        let mut failed = None;
        // Deleted lists come last: nobody waits for them.
        for due in [Due::Visits, Due::Mails, Due::Accounts, Due::GoneLists] {
            for shard in 0..DUE_SHARDS {
                if let Err(failure) = self.collect(due, shard, now, &mut turns).await {
                    warn!(shard, cause = failure.chain(), "the tick could not read some of what is due");
                    failed = Some(failure);
                }
            }
        }
        let (rounds, cut_short) = turns.take(QUEUED_MAX);
        let queued = rounds.iter().map(|(_, intents)| intents.len()).sum();
        for (delay, intents) in rounds {
            self.queue(intents, delay).await?;
        }
        info!(queued, cut_short, waiting, "the tick looked for what is due");
        failed.map_or(Ok(Looked { queued, cut_short }), Err)
    }

    /// Collects what is due under one key of the index: from the front, and when that is cut short from the
    /// end.
    async fn collect(&self, due: Due, shard: u8, now: Time, turns: &mut Turns) -> Result<(), Failure> {
        let (table, mut since) = match due {
            Due::Visits => (WAITEES, Time::from_millis(0)),
            Due::Mails => (MAILS, Time::from_millis(0)),
            Due::Accounts => (USERS, Time::from_millis(0)),
            Due::GoneLists => (WAITLISTS, now.plus_millis(-GONE_LOOKED_AT_MS)),
        };
        let mut boards_left = GONE_MAX;
        for order in [Order::Ascending, Order::Descending] {
            let (mut seen, mut start) = (0, None);
            while seen < ROWS_MAX / 2 {
                let Page { rows, next } =
                    self.backend.rows.due(table, shard, (since, now), order, PAGE_ROWS, start).await?;
                seen += rows.len();
                let last_at = rows.last().map(|row| row.due_at);
                self.add(due, rows, turns, &mut boards_left).await?;
                start = next;
                if start.is_none() {
                    return Ok(());
                }
                if order == Order::Ascending {
                    since = last_at.unwrap_or(since);
                }
            }
        }
        warn!(table = table.suffix, shard, "more is due than one look reads");
        turns.cut_short();
        Ok(())
    }

    async fn add(
        &self,
        due: Due,
        rows: Vec<DueRow>,
        turns: &mut Turns,
        boards_left: &mut usize,
    ) -> Result<(), Failure> {
        for row in rows {
            let DueRow { id, tenant, .. } = row;
            match due {
                Due::Visits => turns.add(tenant, attend(Category::Waitee, row)),
                Due::Mails => turns.add(tenant, attend(Category::Mail, row)),
                Due::Accounts => turns.add(tenant, attend(Category::User, row)),
                Due::GoneLists => {
                    if *boards_left == 0 || !turns.looks_at_board(tenant, GONE_OF_ACCOUNT_MAX) {
                        turns.cut_short();
                        continue;
                    }
                    *boards_left -= 1;
                    for left in self.backend.rows.on_board(WaitlistId(id), LEFT_MAX).await? {
                        turns.add(tenant, Intent::Clear { stream: left.into() });
                    }
                }
            }
        }
        Ok(())
    }

    async fn queue(&self, intents: Vec<Intent>, delay: Duration) -> Result<(), Failure> {
        let bodies =
            intents.into_iter().map(|intent| Errand::looked(intent).body()).collect::<Result<Vec<_>, _>>()?;
        let sent = self.backend.deliveries.send_all(&bodies, delay).await;
        sent.map_err(|cause| Failure::passing("queue what is due", cause))
    }
}

fn attend(category: Category, row: DueRow) -> Intent {
    Intent::Attend { stream: StreamId { category, id: row.id } }
}
