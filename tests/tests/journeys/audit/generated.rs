//! Generated filters over generated histories, while writes go on and the index lags: the pages hold exactly
//! the events that a scan of the log finds.

use std::cell::RefCell;

use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::TestRunner};
use schema::{Time, UserId};
use serde_json::Value;
use waitlist_tests::{
    cases::{cases_up_to, runtime},
    stage::Stage,
};

use super::{
    oracle::{Wanted, history},
    world::{ACTORS, LISTS, REQUESTS, STREAMS, World, Write},
};

const CASES: u32 = 24;
/// Each case searches with one to three combinations of filters.
const CASES_MAX: u32 = 350;
/// After so many cases the scans of the oracle get slow, and a new stage begins.
const CASES_OF_A_STAGE: u32 = 16;
const PAGES_MAX: usize = 500;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

const ACTIONS: [&str; 16] = [
    "waitee.*",
    "waitee.joined",
    "waitee.called",
    "waitee.seated",
    "waitee.removed",
    "waitee.erased",
    "waitlist.*",
    "waitlist.closed",
    "user.*",
    "user.registered",
    "user.renamed",
    "mail.asked",
    "session.*",
    "session.refreshed",
    "access.*",
    "waitee.moved",
];

#[derive(Clone, Debug)]
struct Plan {
    past: Vec<Write>,
    searches: Vec<Search>,
}

/// The pages of one filter, and the writes between them.
#[derive(Clone, Debug)]
struct Search {
    from: Option<Moment>,
    to: Option<Moment>,
    actor: Option<usize>,
    action: Option<&'static str>,
    /// Beyond the account's streams: one of another account, and one that does not exist.
    target: Option<usize>,
    waitlist: Option<usize>,
    request: Option<usize>,
    ascends: bool,
    limit: usize,
    has_token: bool,
    meanwhile: Vec<Write>,
}

/// A moment around one of the commits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    commit: prop::sample::Index,
    offset_ms: i64,
}

impl Moment {
    pub(super) fn among(self, times: &[Time]) -> Time {
        self.commit.get(times).plus_millis(self.offset_ms)
    }
}

/// A moment, now and then.
pub(super) fn moment() -> impl Strategy<Value = Option<Moment>> {
    let offset_ms = prop_oneof![Just(0), Just(1), Just(-1), -DAY_MS..DAY_MS];
    let moment = (any::<prop::sample::Index>(), offset_ms);
    option::weighted(0.25, moment.prop_map(|(commit, offset_ms)| Moment { commit, offset_ms }))
}

pub(super) fn write() -> impl Strategy<Value = Write> {
    let wait_ms = prop_oneof![
        6 => 0..3_i64, 4 => 0..12_000_i64, 2 => 0..DAY_MS, 2 => 0..90 * DAY_MS, 1 => 0..1_500 * DAY_MS,
    ];
    // Less than the ten seconds after which the history counts as complete.
    let lag_ms = prop_oneof![1 => Just(0), 2 => 1..10_000_i64];
    (
        wait_ms,
        0..STREAMS,
        prop_oneof![4 => Just(1), 1 => 2..4_usize],
        0..16_usize,
        0..ACTORS,
        0..REQUESTS,
        lag_ms,
    )
        .prop_map(|(wait_ms, stream, events, choice, actor, request, lag_ms)| Write {
            wait_ms,
            stream,
            events,
            choice,
            actor,
            request,
            lag_ms,
        })
}

fn search() -> impl Strategy<Value = Search> {
    let filters = (
        option::weighted(0.25, 0..ACTORS),
        option::weighted(0.4, select(&ACTIONS[..])),
        option::weighted(0.2, 0..STREAMS + 2),
        option::weighted(0.25, 0..LISTS + 2),
        option::weighted(0.2, 0..REQUESTS),
    );
    let limit = prop_oneof![6 => 1..7_usize, 1 => Just(200)];
    ((moment(), moment()), filters, any::<bool>(), limit, any::<bool>(), vec(write(), 0..6)).prop_map(
        |((from, to), (actor, action, target, waitlist, request), ascends, limit, has_token, meanwhile)| {
            Search {
                from,
                to,
                actor,
                action,
                target,
                waitlist,
                request,
                ascends,
                limit,
                has_token,
                meanwhile,
            }
        },
    )
}

fn plan() -> impl Strategy<Value = Plan> {
    (vec(write(), 0..40), vec(search(), 1..4)).prop_map(|(past, searches)| Plan { past, searches })
}

#[test]
fn pages_hold_exactly_the_filtered_log() {
    let runtime = runtime();
    let stages = RefCell::new(Vec::new());
    let mut runner = TestRunner::new(cases_up_to(CASES_MAX, CASES));
    runner
        .run(&plan(), |plan| {
            runtime.block_on(async {
                let last = stages.borrow_mut().pop();
                let stage = match last {
                    Some((stage, cases)) if cases < CASES_OF_A_STAGE => (stage, cases + 1),
                    _ => (Stage::new().await, 1),
                };
                play(&stage.0, &plan).await;
                stages.borrow_mut().push(stage);
            });
            Ok(())
        })
        .unwrap();
}

async fn play(stage: &Stage, plan: &Plan) {
    let other = World::begin(stage).await;
    let mut world = World::begin(stage).await;
    for write in &plan.past {
        world.write(*write).await;
    }
    for search in &plan.searches {
        search.judge(&mut world, &other).await;
    }
}

/// The events and times on the pages of a search.
struct Seen {
    events: Vec<Value>,
    /// `complete_until` of the first page and of the last.
    complete_until: (String, String),
}

impl Search {
    async fn judge(&self, world: &mut World<'_>, other: &World<'_>) {
        let wanted = self.wanted(world, other);
        let token = world.token.clone();
        let Seen { events, complete_until: (first, last) } = self.read(world, &wanted, &token).await;
        let mut log = history(world.stage, world.owner, &wanted).await;
        if self.ascends {
            log.retain(|event| event["at"].as_str().unwrap() < last.as_str());
            assert_eq!(events, log, "{self:?}");
            return;
        }
        log.reverse();
        let place = |event: &Value| {
            let found = log.iter().position(|other| other == event);
            found.unwrap_or_else(|| panic!("{event} is not in the log; {self:?}"))
        };
        let places: Vec<usize> = events.iter().map(place).collect();
        assert!(places.is_sorted_by(|a, b| a < b), "out of order or twice: {places:?} {self:?}");
        let is_token = |event: &Value| self.has_token && is_last_of(event, &token);
        let due =
            log.iter().filter(|event| event["at"].as_str().unwrap() < first.as_str() || is_token(event));
        for event in due {
            assert!(events.contains(event), "{event} is missing; {self:?}");
        }
    }

    async fn read(&self, world: &mut World<'_>, wanted: &Wanted, token: &str) -> Seen {
        let owner = world.stage.owner_with(world.owner, None);
        let query = self.query(wanted);
        let headers: &[(&str, &str)] = if self.has_token { &[("Sync-Token", token)] } else { &[] };
        let (mut events, mut complete, mut cursor) = (Vec::new(), Vec::new(), String::new());
        let mut meanwhile = self.meanwhile.iter();
        for _ in 0..PAGES_MAX {
            let page = owner.send("GET", &format!("/v1/audit?{query}{cursor}"), None, headers).await;
            assert_eq!(page.status, 200, "{page:?}");
            let items = page.body["items"].as_array().unwrap();
            assert!(items.len() <= self.limit, "{} on a page of {}", items.len(), self.limit);
            events.extend(items.iter().cloned());
            complete.push(page.body["complete_until"].as_str().unwrap().to_owned());
            let Some(next) = page.body["next"].as_str() else {
                let complete_until = (complete[0].clone(), complete.pop().unwrap());
                return Seen { events, complete_until };
            };
            cursor = format!("&cursor={next}");
            if let Some(write) = meanwhile.next() {
                world.write(*write).await;
            }
        }
        panic!("the pages do not end: {self:?}");
    }

    fn wanted(&self, world: &World<'_>, other: &World<'_>) -> Wanted {
        let moment = |of: Option<Moment>| of.map(|of| of.among(&world.times));
        let (from, to) = (moment(self.from), moment(self.to));
        let to = to.filter(|to| from.is_none_or(|from| from < *to));
        let text = |time: Time| time.to_string();
        let nowhere = UserId(uuid::Uuid::from_u128(7));
        let target = |place: usize| match place.checked_sub(STREAMS) {
            None => world.streams[place].to_string(),
            Some(0) => other.streams[0].to_string(),
            Some(_) => format!("waitee-{nowhere}"),
        };
        let list = |place: usize| match place.checked_sub(LISTS) {
            None => world.streams[1 + place].id.to_string(),
            Some(0) => other.streams[1].id.to_string(),
            Some(_) => nowhere.to_string(),
        };
        Wanted {
            from: from.map(text),
            to: to.map(text),
            actor: self.actor.map(|actor| world.actors()[actor].to_string()),
            action: self.action.map(str::to_owned),
            target: self.target.map(target),
            waitlist: self.waitlist.map(list),
            correlation: self.request.map(World::request),
        }
    }

    fn query(&self, wanted: &Wanted) -> String {
        let Wanted { from, to, actor, action, target, waitlist, correlation } = wanted;
        let order = if self.ascends { "asc" } else { "desc" };
        let mut query = format!("limit={}&order={order}", self.limit);
        for (name, value) in [
            ("from", from),
            ("to", to),
            ("actor", actor),
            ("action", action),
            ("target", target),
            ("waitlist", waitlist),
            ("correlation", correlation),
        ] {
            if let Some(value) = value {
                query += &format!("&{name}={value}");
            }
        }
        query
    }
}

/// Whether the event is the one that a Sync-Token names.
fn is_last_of(event: &Value, token: &str) -> bool {
    format!("{}@{}", event["stream"].as_str().unwrap(), event["seq"]) == token
}
