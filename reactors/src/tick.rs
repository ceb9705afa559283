//! The tick: queues, each minute, intents for work that is due by time, and for work that was left undone. It also asks
//! for the end of former generations whose time is over.
//!
//! It decides nothing, because the handler of each intent reads the log. So it may run twice at once, late,
//! or on rows that are behind. Accounts are served in turn: each gets its share of the queue
//! ([`infra::queue::FairShare`]), however much of the due work is one account's, and however many intents are
//! queued already.

mod former;
mod rebuilds;
mod turns;

use std::time::Duration;

use infra::{
    Backend, Failure,
    rows::{Order, Page},
    telemetry::metrics,
};
use schema::{
    StreamId, Time, WaitlistId,
    id::Category,
    table::{DUE_SHARDS, DueRow, MAILS, USERS, WAITEES, WAITLISTS},
};
use tracing::{info, warn};

use self::turns::{Round, Taken, Turns};
use crate::intent::{Intent, QueuedIntent};

/// The rows of one read of the index.
const PAGE_ROWS: usize = 500;

/// The most rows that one look reads under one key of the index: half of them from each end. The newest are
/// read too, because the oldest may all be of an account that has its share.
const ROWS_MAX: usize = 10_000;

/// While this many intents are queued, a look adds at most [`CROWDED_SHARE`] of each account.
const CROWDED: usize = 10_000;
const CROWDED_SHARE: usize = 10;

/// While this many intents are queued, a look adds none: the deliver lambda does not work.
const WAITING_MAX: usize = 100_000;

/// The most intents that one look queues.
const QUEUED_MAX: usize = 20_000;

/// How long after its deletion a list's board is read. A party is left on it when its row was written after
/// the deletion, usually moments later; a party whose row is written later than this stays until its visit
/// ends.
const DELETED_LISTS_MS: i64 = 3_600_000;

/// The most boards of deleted lists that one look reads, under one key of the index and of one account.
const BOARDS_MAX: usize = 200;
const BOARDS_OF_ACCOUNT_MAX: usize = 20;

/// The most parties that are read of a deleted list's board.
const PARTIES_MAX: usize = 500;

/// The result of one look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Intents that were put on the queue.
    pub queued: usize,
    /// Whether some of the due work was left to the next look.
    pub cut_short: bool,
}

/// The kinds of subjects with due work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    Visits,
    Mails,
    Accounts,
    /// Lists that were deleted lately, for the parties that are left on them.
    DeletedLists,
}

/// The handler of the tick lambda.
#[derive(Clone)]
pub struct Tick {
    backend: Backend,
}

impl Tick {
    pub fn new(backend: Backend) -> Self {
        Self { backend }
    }

    /// Queues the due work once. At least half a read unit for each key of the index `due` and each of four
    /// tables.
    ///
    /// # Errors
    /// Rows cannot be read, or the queue does not answer: the next look finds the work.
    pub async fn look(&self) -> Result<Report, Failure> {
        let now = self.backend.clock.now();
        let mut failed = former::retire(&self.backend, now).await.err();
        rebuilds::observe(&self.backend, now).await;
        if let Some(failure) = &failed {
            warn!(cause = failure.chain(), "the tick could not ask for the end of former generations");
        }
        let waiting = self.backend.deliveries.waiting(WAITING_MAX).await;
        let waiting = waiting.map_err(|cause| Failure::passing("count the queued intents", cause))?;
        metrics::TICK_WAITING.set(waiting as u64, []);
        if waiting >= WAITING_MAX {
            warn!(waiting, "too many intents are queued; the tick adds none");
            metrics::TICK_LOOKS.count([]);
            return Ok(Report { queued: 0, cut_short: true });
        }
        let share = if waiting >= CROWDED { CROWDED_SHARE } else { usize::MAX };
        let mut turns = Turns::new(self.backend.fair.anew(), share, now);
        // Deleted lists come last: no guest waits for them.
        for due in [Due::Visits, Due::Mails, Due::Accounts, Due::DeletedLists] {
            for shard in 0..DUE_SHARDS {
                if let Err(failure) = self.collect(due, shard, now, &mut turns).await {
                    warn!(shard, cause = failure.chain(), "the tick could not read some of the due rows");
                    failed = Some(failure);
                }
            }
        }
        let Taken { rounds, cut_short } = turns.take(QUEUED_MAX);
        let queued = rounds.iter().map(|round| round.intents.len()).sum();
        for Round { delay, intents } in rounds {
            self.queue(intents, delay).await?;
        }
        info!(queued, cut_short, waiting, "the tick queued the work that is due");
        metrics::TICK_QUEUED.add(queued as u64, []);
        if let Some(failure) = failed {
            return Err(failure);
        }
        metrics::TICK_LOOKS.count([]);
        Ok(Report { queued, cut_short })
    }

    /// Collects the due work under one key of the index: the oldest first, and when that is cut short the
    /// newest.
    async fn collect(&self, due: Due, shard: u8, now: Time, turns: &mut Turns) -> Result<(), Failure> {
        let (table, mut since) = match due {
            Due::Visits => (WAITEES, Time::from_millis(0)),
            Due::Mails => (MAILS, Time::from_millis(0)),
            Due::Accounts => (USERS, Time::from_millis(0)),
            Due::DeletedLists => (WAITLISTS, now.plus_millis(-DELETED_LISTS_MS)),
        };
        let mut boards_left = BOARDS_MAX;
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
        warn!(projection = table.projection.as_str(), shard, "one look cannot read all due rows");
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
                Due::DeletedLists => {
                    if *boards_left == 0 || !turns.may_read_board(tenant, BOARDS_OF_ACCOUNT_MAX) {
                        turns.cut_short();
                        continue;
                    }
                    *boards_left -= 1;
                    for left in self.backend.rows.on_board(WaitlistId(id), PARTIES_MAX).await? {
                        turns.add(tenant, Intent::Clear { stream: left.into() });
                    }
                }
            }
        }
        Ok(())
    }

    async fn queue(&self, intents: Vec<Intent>, delay: Duration) -> Result<(), Failure> {
        let bodies = intents
            .into_iter()
            .map(|intent| QueuedIntent::from_tick(intent).body())
            .collect::<Result<Vec<_>, _>>()?;
        let sent = self.backend.deliveries.send_all(&bodies, delay).await;
        sent.map_err(|cause| Failure::passing("queue the intents of the tick", cause))
    }
}

fn attend(category: Category, row: DueRow) -> Intent {
    Intent::Attend { stream: StreamId { category, id: row.id } }
}
