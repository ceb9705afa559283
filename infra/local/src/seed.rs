//! `waitlist seed`: makes up a past in a data directory that no server uses.
//!
//! The account and its lists are made by the handlers, with a clock that stands at the beginning of the past. The
//! visits are decided by the commands' own code, encoded by the log, folded by the projection, and imported into
//! the engine without stream records: the reactor does not see them, and the projector has nothing left to do.

mod account;

use std::env;

use commands::seed::{Guest, Scene, visit, visit_of};
use infra::{Backend, Clock, Config, Failure, config, log::encode, setup, vault::Subject};
use projections::{projection::fold, waitees::Waitees};
use schema::{
    Commit, Time, UserId, WaitlistId,
    table::{DECLARED, EVENTS, LOCAL, Table, WAITEES},
};

pub(crate) use self::account::PASSWORD;
use crate::{
    data_dir::DataDir,
    engine::{Engine, EngineError, Item},
    server::{ENDPOINT, RESTART_MAX, name_running_server},
};

/// The fewest commits of a past: those of the account, its lists and some visits.
pub(crate) const COMMITS_MIN: u64 = 20;
/// Ten million commits take some 10 GB.
pub(crate) const COMMITS_MAX: u64 = 10_000_000;

/// The visits of a list on one evening.
const VISITS_AN_EVENING: u64 = 80;
/// The time within which the parties of an evening join.
const EVENING_MS: i64 = 4 * 3_600_000 + 30 * 60_000;
const DAY_MS: i64 = 24 * 3_600_000;
/// A lower bound on the commits of a visit, on average over an evening.
const COMMITS_A_VISIT_MIN: u64 = 3;
/// Commits that are imported at once.
const BATCH_COMMITS: usize = 5_000;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The past to make up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) commits: u64,
    /// The same plan makes the same past, except for keys and sealed values.
    pub(crate) seed: u64,
    /// The end of the past.
    pub(crate) until: Time,
}

/// The account that was made, with its lists by name.
#[derive(Clone, Debug)]
pub(crate) struct Seeded {
    pub(crate) account: UserId,
    pub(crate) email: String,
    pub(crate) lists: Vec<(WaitlistId, &'static str)>,
    pub(crate) commits: u64,
    pub(crate) visits: u64,
}

/// Makes up a past, and tells how many commits were made after each batch.
///
/// # Errors
/// A server uses the directory, it holds a past of the same number, or it cannot be written.
pub(crate) async fn seed(data_dir: &DataDir, plan: Plan, tell: impl Fn(u64)) -> Result<Seeded, Failed> {
    if env::var_os(ENDPOINT).is_some() {
        return Err(format!("{ENDPOINT} is set; a past is made up only in the embedded engine").into());
    }
    data_dir.require_keys()?;
    let prefix = config::prefix();
    let tables: Vec<Table> = DECLARED.iter().chain(LOCAL).cloned().collect();
    let engine = Engine::start_when_free(data_dir.path(), &tables, &prefix, RESTART_MAX).await;
    let engine = engine.map_err(|cause| name_running_server(data_dir, cause))?;
    let made = fill(&engine, data_dir, &prefix, &tables, plan, tell).await;
    engine.stop().await;
    made
}

async fn fill(
    engine: &Engine,
    data_dir: &DataDir,
    prefix: &str,
    tables: &[Table],
    plan: Plan,
    tell: impl Fn(u64),
) -> Result<Seeded, Failed> {
    let sdk = engine.sdk().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    engine.create_tables(&dynamodb, prefix, tables).await?;
    let rows = setup::create_rows(&dynamodb, prefix).await?;
    let config = Config::local(prefix, "", data_dir.keys());
    let backend = Backend::new(&sdk, dynamodb, &config, Clock::fixed(plan.beginning()))?;
    backend.check_claims().await?;

    let account = account::make(&backend, plan.seed).await?;
    for (table, item) in &account.rows {
        let table = backend.rows.live_table(*table).await?;
        engine.import(table.name(prefix), vec![item.clone()]).await?;
    }
    let visits = backend.rows.live_table(WAITEES).await?.name(prefix);
    let mut import =
        Import { engine, tables: [EVENTS.name(prefix), visits], events: Vec::new(), rows: Vec::new() };
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let (mut commits, mut visits, mut evenings_ago) = (account.commits, 0, 0);
    while commits < plan.commits {
        let of_lists =
            account.lists.iter().flat_map(|list| (0..VISITS_AN_EVENING).map(move |place| (list, place)));
        for (list, place) in of_lists {
            let left = plan.commits - commits;
            if left == 0 {
                break;
            }
            let scene =
                Scene { account: account.id, list: list.id, state: list.state.clone(), until: plan.until };
            let joined_at = plan.joining(evenings_ago, place, &mut random);
            let guest = Guest::joining(&mut random, joined_at);
            let made = make(&backend, &scene, guest, &mut random, left).await?;
            (commits, visits) = (commits + made.len() as u64, visits + 1);
            import.add(&made)?;
            if import.events.len() >= BATCH_COMMITS {
                import.flush().await?;
                tell(commits);
            }
        }
        evenings_ago += 1;
    }
    import.flush().await?;
    engine.index_scans(&rows).await?;
    let lists = account.lists.iter().map(|list| (list.id, list.name)).collect();
    Ok(Seeded { account: account.id, email: account.email, lists, commits, visits })
}

/// Makes up a visit of at most `left` commits.
async fn make(
    backend: &Backend,
    scene: &Scene,
    guest: Guest,
    random: &mut fastrand::Rng,
    left: u64,
) -> Result<Vec<Commit>, Failure> {
    let subject = Subject::Guest { account: scene.account, guest: guest.id };
    let key = backend.vault.create(subject).await?;
    let commits = visit(scene, guest, &key, random)?;
    match usize::try_from(left) {
        Ok(left) if commits.len() > left => visit_of(scene, guest, &key, random, left),
        _ => Ok(commits),
    }
}

impl Plan {
    /// A time before the first visit.
    fn beginning(self) -> Time {
        let visits = self.commits / COMMITS_A_VISIT_MIN;
        let evenings =
            i64::try_from(visits / (account::LISTS.len() as u64 * VISITS_AN_EVENING)).unwrap_or(0) + 2;
        self.until.plus_millis(-evenings * DAY_MS)
    }

    /// The time at which the guest at this place of an evening joins. The last evening is not over.
    fn joining(self, evenings_ago: i64, place: u64, random: &mut fastrand::Rng) -> Time {
        let slot_ms = EVENING_MS / VISITS_AN_EVENING as i64;
        let begun = self.until.plus_millis(-evenings_ago * DAY_MS - EVENING_MS);
        begun.plus_millis(place as i64 * slot_ms + random.i64(0..slot_ms))
    }
}

/// Items to be imported.
struct Import<'a> {
    engine: &'a Engine,
    /// The names of the tables of events and of the rows of visits.
    tables: [String; 2],
    events: Vec<Item>,
    rows: Vec<Item>,
}

impl Import<'_> {
    fn add(&mut self, visit: &[Commit]) -> Result<(), Failed> {
        for commit in visit {
            self.events.push(encode(commit)?);
        }
        if let Some(row) = fold::<Waitees>(None, visit)? {
            self.rows.push(serde_dynamo::to_item(row)?);
        }
        Ok(())
    }

    /// Events come first: rows only ever follow the log.
    async fn flush(&mut self) -> Result<(), EngineError> {
        let [events, rows] = &self.tables;
        self.engine.import(events.clone(), std::mem::take(&mut self.events)).await?;
        self.engine.import(rows.clone(), std::mem::take(&mut self.rows)).await
    }
}
