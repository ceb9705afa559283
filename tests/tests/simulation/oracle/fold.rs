//! The fold of a stream's stored commits into its expected row.

use schema::{Commit, StreamId, agenda::Agenda, id::Category, table::due_in};
use serde_json::{Map, Value, json};

use super::{Item, text};

pub(super) fn fold(stream: StreamId, commits: &[Item]) -> Option<Value> {
    let mut row = Map::new();
    for commit in commits {
        let first: u64 = commit["seq"].as_n().unwrap().parse().unwrap();
        let events: Vec<Value> = serde_json::from_str(&text(commit, "events")).unwrap();
        for (event, seq) in events.iter().zip(first..) {
            row.insert("seq".into(), json!(seq));
            row.insert("id".into(), json!(stream.id));
            row.insert("v".into(), json!(version(stream.category)));
            row.insert("tenant".into(), json!(text(commit, "tenant")));
            let kind = event["type"].as_str().unwrap();
            match stream.category {
                Category::Waitlist => list(&mut row, kind, &event["data"], &text(commit, "at")),
                Category::User => account(&mut row, kind, &event["data"], &text(commit, "at")),
                Category::Mail => mail(&mut row, kind, &event["data"], &text(commit, "at")),
                _ => visit(&mut row, kind, &event["data"], &text(commit, "at")),
            }
        }
    }
    if let Some(agenda) = agenda(stream, commits) {
        row.insert("agenda".into(), json!(agenda));
        if let Some(at) = agenda.sought_at() {
            row.insert("due_at".into(), json!(at));
        }
    }
    if row.contains_key("due_at") {
        row.insert("due_in".into(), json!(due_in(stream.id)));
    }
    (!row.is_empty()).then_some(Value::Object(row))
}

/// Folds the agenda of a visit or an account with the code of the log, which has its own tests. These tests
/// check only that the row contains it.
fn agenda(stream: StreamId, commits: &[Item]) -> Option<Agenda> {
    let commits = commits.iter().map(|item| serde_dynamo::from_item::<_, Commit>(item.clone()).unwrap());
    match stream.category {
        Category::Waitee => Some(
            commits
                .flat_map(|commit| commit.facts().unwrap())
                .fold(Agenda::default(), |agenda, fact| agenda.of_visit(&fact)),
        ),
        Category::User => Some(
            commits
                .flat_map(|commit| commit.facts().unwrap())
                .fold(Agenda::default(), |agenda, fact| agenda.of_account(&fact)),
        ),
        Category::Mail => Some(
            commits
                .flat_map(|commit| commit.facts().unwrap())
                .fold(Agenda::default(), |agenda, fact| agenda.of_mail(&fact)),
        ),
        Category::Waitlist | Category::Session | Category::Access | Category::Projection => None,
    }
}

fn version(category: Category) -> u32 {
    match category {
        Category::User | Category::Waitee | Category::Waitlist => 3,
        Category::Mail | Category::Session | Category::Access | Category::Projection => 1,
    }
}

fn mail(row: &mut Map<String, Value>, kind: &str, data: &Value, at: &str) {
    if kind == "mail.asked" {
        let made = format!("{at}#{}", row["id"].as_str().unwrap());
        let confirms = data["kind"] != "password-reset";
        let keys = [("kind", data["kind"].clone()), ("asked_at", json!(at)), ("made", json!(made))];
        row.extend(keys.map(|(name, value)| (name.to_owned(), value)));
        if confirms {
            row.insert("confirms".into(), row["tenant"].clone());
        }
    }
}

fn account(row: &mut Map<String, Value>, kind: &str, data: &Value, at: &str) {
    let mut set = |name: &str, value: Value| row.insert(name.into(), value);
    match kind {
        "user.registered" => {
            set("registered_at", json!(at));
            set("name", data["name"].clone());
            set("email", data["email"].clone());
            set("confirmed", json!(false));
            set("operator", json!(false));
            set("state", json!("kept"))
        }
        "user.renamed" => set("name", data["name"].clone()),
        "user.email-confirmed" => set("confirmed", json!(true)),
        "user.operator-granted" => set("operator", json!(true)),
        "user.operator-revoked" => set("operator", json!(false)),
        "user.erased" | "user.forgotten" => set("state", json!(kind.trim_start_matches("user."))),
        "user.texts-capped" | "user.password-changed" => None,
        other => panic!("unexpected event type {other}"),
    };
}

fn list(row: &mut Map<String, Value>, kind: &str, data: &Value, at: &str) {
    row.insert("list".into(), data.clone());
    row.insert(
        "made".into(),
        json!(format!("{}#{}", data["created_at"].as_str().unwrap(), row["id"].as_str().unwrap())),
    );
    if kind == "waitlist.created" {
        row.insert("owner".into(), row["tenant"].clone());
    }
    if kind == "waitlist.deleted" {
        row.remove("owner");
        row.insert("due_at".into(), json!(at));
    }
}

fn visit(row: &mut Map<String, Value>, kind: &str, data: &Value, at: &str) {
    let mut set = |name: &str, value: Value| row.insert(name.into(), value);
    match kind {
        "waitee.joined" => {
            let of_joining = data.as_object().unwrap().clone();
            for (name, value) in of_joining {
                set(&name, value);
            }
            set("state", json!("waiting"));
            set("joined_at", json!(at));
            set("calls", json!(0));
        }
        "waitee.details-changed" => {
            for (name, value) in data.as_object().unwrap() {
                if value.is_null() {
                    row.remove(name)
                } else {
                    row.insert(name.clone(), value.clone())
                };
            }
        }
        "waitee.called" => {
            set("state", json!("called"));
            set("called_at", json!(at));
            set("hold_until", data["hold_until"].clone());
            row["calls"] = json!(row["calls"].as_u64().unwrap() + 1);
        }
        "waitee.confirmed" => {
            set("state", json!("confirmed"));
            set("confirmed_at", json!(at));
            row.remove("hold_until");
        }
        "waitee.seated" | "waitee.left" | "waitee.removed" | "waitee.no-show" => {
            set("state", json!(kind.trim_start_matches("waitee.")));
            set("finished_at", json!(at));
            row.remove("hold_until");
        }
        "waitee.restored" => {
            set("state", json!("waiting"));
            for forgotten in ["hold_until", "confirmed_at", "finished_at"] {
                row.remove(forgotten);
            }
        }
        "waitee.moved" => {
            set("rank", data["rank"].clone());
        }
        kind if kind.starts_with("waitee.notification-") => {}
        "waitee.erased" | "waitee.forgotten" => {
            set("erased", json!(true));
        }
        other => panic!("unexpected event type {other}"),
    }
    let word = |name: &str| row[name].as_str().unwrap().to_owned();
    let (id, joined_at) = (word("id"), word("joined_at"));
    let keys = [
        ("list_day", format!("{}#{}", word("waitlist"), word("day"))),
        ("arrival", format!("{joined_at}#{id}")),
    ];
    let on_board = matches!(word("state").as_str(), "waiting" | "called" | "confirmed");
    let of_board = [("board", word("waitlist")), ("place", format!("{}#{id}", word("rank")))];
    for (name, value) in keys {
        row.insert(name.into(), json!(value));
    }
    for (name, value) in of_board {
        if on_board {
            row.insert(name.into(), json!(value))
        } else {
            row.remove(name)
        };
    }
}
