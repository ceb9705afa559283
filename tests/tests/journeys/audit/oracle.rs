//! The history of an account by a scan of the events table: every event, filtered by plain comparisons.

use schema::{UserId, table::EVENTS};
use serde_json::{Value, json};
use waitlist_tests::stage::Stage;

use super::world::SEALED;
use crate::{
    place::{number, text},
    raw::{Item, scan},
};

/// The values of the parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) actor: Option<String>,
    pub(super) action: Option<String>,
    pub(super) target: Option<String>,
    pub(super) waitlist: Option<String>,
    pub(super) correlation: Option<String>,
}

/// Every indexed event of the account that is wanted, oldest first.
pub(super) async fn history(stage: &Stage, owner: UserId, wanted: &Wanted) -> Vec<Value> {
    let items = scan(&stage.dynamodb, &EVENTS, &stage.prefix).await;
    let mut own: Vec<&Item> = items.iter().filter(|item| text(item, "tenant") == owner.to_string()).collect();
    own.sort_by_key(|item| text(item, "commit"));
    let events =
        own.iter().filter(|item| is_indexed(item) && fits(item, &items, wanted)).flat_map(|item| shown(item));
    events.filter(|event| wanted.action.as_deref().is_none_or(|action| is_of(event, action))).collect()
}

fn stored(item: &Item) -> Vec<Value> {
    serde_json::from_str(text(item, "events")).unwrap()
}

fn is_indexed(item: &Item) -> bool {
    stored(item).iter().any(|event| event["type"] != "session.refreshed")
}

fn fits(item: &Item, all: &[Item], wanted: &Wanted) -> bool {
    let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
    wanted.from.as_deref().is_none_or(|from| text(item, "at") >= from)
        && wanted.to.as_deref().is_none_or(|to| text(item, "at") < to)
        && is(&wanted.actor, text(item, "actor"))
        && is(&wanted.target, text(item, "stream"))
        && is(&wanted.correlation, text(item, "correlation"))
        && wanted.waitlist.as_deref().is_none_or(|list| {
            let stream = text(item, "stream");
            let first = all.iter().find(|other| text(other, "stream") == stream && number(other, "seq") == 1);
            stream == format!("waitlist-{list}") || stored(first.unwrap())[0]["data"]["waitlist"] == list
        })
}

fn is_of(event: &Value, action: &str) -> bool {
    let kind = event["type"].as_str().unwrap();
    match action.strip_suffix('*') {
        Some(category) => kind.starts_with(category),
        None => kind == action,
    }
}

fn shown(item: &Item) -> Vec<Value> {
    let numbered = stored(item).into_iter().zip(number(item, "seq")..);
    let show = |(mut event, seq): (Value, u64)| {
        for value in event["data"].as_object_mut().unwrap().values_mut() {
            if *value == SEALED {
                *value = Value::Null;
            }
        }
        json!({
            "stream": text(item, "stream"), "seq": seq, "type": event["type"], "v": event["v"], "at": text(item, "at"),
            "actor": text(item, "actor"), "commit": text(item, "commit"), "correlation": text(item, "correlation"),
            "causation": item.get("causation").map(|cause| cause.as_s().unwrap()), "data": event["data"],
        })
    };
    numbered.map(show).collect()
}
