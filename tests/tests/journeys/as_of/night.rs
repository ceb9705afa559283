//! A generated night: what was read live at many instants is read again as of these instants.

use std::collections::{BTreeMap, BTreeSet};

use schema::Time;
use serde_json::{Value, json};
use waitlist_tests::{
    delivery::Post,
    stage::{Answer, Owner, Stage},
};

use super::{LATER_MS, at, project};
use crate::{
    load::{Random, is_full, joins, transitions},
    reads::feed,
};

const SEED: u64 = 20_261_130;
const LISTS: usize = 2;
/// From the evening over midnight, the start of the day, and the ends of the first visits.
const NIGHT_MS: usize = 30 * 3_600_000;
/// No commit is nearer than this to an instant that is read.
const QUIET_MS: i64 = 2_001;
/// The size of pages as of an instant: small enough that a board has several.
const PAGE: usize = 7;
/// The parties that are read one by one at each instant.
const SINGLE: usize = 3;

const ZONES: [&str; 4] = ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Tokyo", "America/Los_Angeles"];
const STARTS: [&str; 4] = ["23:59", "12:30", "00:00", "04:00"];

struct Size {
    parties: usize,
    transitions: usize,
    instants: usize,
}

impl Size {
    fn of_a_night() -> Self {
        if is_full() {
            Self { parties: 150, transitions: 2_000, instants: 200 }
        } else {
            Self { parties: 50, transitions: 250, instants: 25 }
        }
    }
}

/// The answers of the live reads at an instant.
struct Seen {
    at: Time,
    answers: Vec<(String, Answer)>,
}

struct Night<'s> {
    stage: &'s Stage,
    owner: Owner<'s>,
    post: Post,
    random: Random,
    lists: Vec<String>,
    parties: Vec<String>,
    /// The number of commands that took effect, by the last word of their path.
    done: BTreeMap<String, usize>,
}

impl Night<'_> {
    async fn send(&mut self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let answer = self.owner.send(method, path, body, &[]).await;
        assert!(answer.status < 300 || matches!(answer.status, 409 | 422), "{method} {path}: {answer:?}");
        if answer.status < 300 {
            let word = path.rsplit('/').next().unwrap();
            let word = if word.len() == uuid::fmt::Hyphenated::LENGTH { method } else { word };
            *self.done.entry(word.to_owned()).or_default() += 1;
            project(self.stage, &answer).await;
        }
        answer
    }

    /// A party joins.
    async fn join(&mut self) {
        let list = self.random.below(LISTS);
        let request = joins(&mut self.random, &self.lists, LISTS).swap_remove(list);
        let joined = self.send(request.method, &request.path, request.body.as_ref()).await;
        if joined.status == 201 {
            self.parties.push(joined.id());
        }
    }

    async fn transition(&mut self) {
        let request = transitions(&mut self.random, &self.parties, 1).remove(0);
        self.send(request.method, &request.path, request.body.as_ref()).await;
    }

    /// Changes a list's time zone, start of the day and quote, or closes or opens it.
    async fn settings(&mut self, turn: usize) {
        let list = format!("/v1/waitlists/{}", self.lists[turn % LISTS]);
        let change = turn / LISTS;
        let body = json!({ "time_zone": ZONES[change % 4], "day_starts": STARTS[change % 4], "quote_minutes": change % 9 });
        self.send("PATCH", &list, Some(&body)).await;
        let gate = if turn % 5 == 4 { "close" } else { "open" };
        self.send("POST", &format!("{list}/{gate}"), None).await;
    }

    /// Sends messages, ends holds and visits, and projects what became of it.
    async fn tick(&mut self) {
        self.post.tick().await;
        self.post.work_off(&self.post.deliver(self.stage)).await;
        feed(self.stage).await;
    }

    /// Reads both lists, their boards and some parties.
    async fn look(&mut self) -> Seen {
        self.stage.backend.clock.advance_millis(QUIET_MS);
        let mut paths = Vec::new();
        for list in &self.lists {
            paths
                .extend([format!("/v1/waitlists/{list}"), format!("/v1/waitlists/{list}/waitees?limit=200")]);
        }
        paths.extend((0..SINGLE).map(|_| format!("/v1/waitees/{}", self.random.pick(&self.parties))));
        let mut answers = Vec::new();
        for path in paths {
            let answer = self.owner.get(&path).await;
            assert_eq!((answer.status, &answer.body["next"]), (200, &Value::Null), "{path}: {answer:?}");
            answers.push((path, answer));
        }
        let at = self.stage.backend.clock.now();
        self.stage.backend.clock.advance_millis(QUIET_MS);
        Seen { at, answers }
    }
}

async fn night(stage: &Stage, owner: Owner<'_>, size: &Size) -> (Vec<Seen>, BTreeMap<String, usize>) {
    let lists = vec![owner.list("Main room").await, owner.list("Bar").await];
    feed(stage).await;
    let (post, random) = (Post::new(stage), Random::new(SEED));
    let mut night = Night { stage, owner, post, random, lists, parties: Vec::new(), done: BTreeMap::new() };
    let steps = size.transitions + size.parties;
    let mut seen = Vec::new();
    for step in 0..steps {
        let gap = night.random.below(2 * NIGHT_MS / steps);
        stage.backend.clock.advance_millis(i64::try_from(gap).unwrap());
        if step < LISTS || night.random.below(steps) < size.parties {
            night.join().await;
        } else {
            night.transition().await;
        }
        if step % (steps / 20) == steps / 40 {
            night.settings(step / (steps / 20)).await;
        }
        if step % (steps / 40) == 0 {
            night.tick().await;
        }
        if (step + 1) * size.instants / steps > seen.len() {
            seen.push(night.look().await);
        }
    }
    (seen, night.done)
}

/// Asserts that everything that was seen is read again, also by the page.
async fn compare(owner: &Owner<'_>, seen: &Seen) {
    for (path, live) in &seen.answers {
        let path = at(path, seen.at);
        let past = owner.get(&path).await;
        assert_eq!((past.status, &past.body), (200, &live.body), "{path}");
        assert_eq!(past.header("etag"), live.header("etag"), "{path}");
        let Some(whole) = live.body["items"].as_array() else { continue };
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page =
                owner.get(&format!("{}{cursor}", path.replace("limit=200", &format!("limit={PAGE}")))).await;
            items.extend(page.body["items"].as_array().unwrap().clone());
            let Some(next) = page.body["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(&items, whole, "{path}");
    }
}

#[tokio::test]
async fn what_was_read_live_during_a_night_is_read_again_as_of_the_same_instants() {
    let (stage, size) = (Stage::new().await, Size::of_a_night());
    let owner = stage.confirmed().await;
    let (seen, done) = night(&stage, owner, &size).await;
    assert_eq!(seen.len(), size.instants);
    for what in
        ["waitees", "call", "confirm", "seat", "leave", "remove", "no-show", "restore", "move", "PATCH"]
    {
        assert!(done.contains_key(what), "no {what} took effect: {done:?}");
    }
    assert!(done.values().sum::<usize>() * 2 > size.transitions, "most commands were refused: {done:?}");
    let parties = || {
        seen.iter()
            .flat_map(|seen| &seen.answers)
            .flat_map(|(_, live)| live.body["items"].as_array())
            .flatten()
    };
    let has = |holds: fn(&Value) -> bool| parties().any(holds);
    assert!(has(|party| party["duplicate_of"].is_string()) && has(|party| party["position"] == 5));
    for status in ["due", "sent"] {
        let shown = |message: &&Value| message["status"] == status;
        assert!(
            parties().any(|party| party["notifications"].as_array().unwrap().iter().find(shown).is_some()),
            "{status}"
        );
    }
    let days: BTreeSet<String> = parties().map(|party| party["day"].to_string()).collect();
    assert!(days.len() > 2, "{days:?}");

    stage.backend.clock.advance_millis(LATER_MS);
    for seen in &seen {
        compare(&owner, seen).await;
    }
}
