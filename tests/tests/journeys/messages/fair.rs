//! One account's messages do not delay those of another.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use reactors::{
    delivery::Deliver,
    intent::{Intent, QueuedIntent},
    tick::Report,
};
use schema::{
    Actor, Commit, Time, UserId, WaiteeId,
    commit::{Author, Tail},
    table::WAITEES,
};
use serde_json::json;
use uuid::Uuid;
use waitlist_tests::{
    past::{author, called, fresh_stream, joined, next},
    stage::Stage,
};

use super::{Door, MEMORY, PHONE};

/// An account that floods the queue.
const FLOODER: UserId = UserId(Uuid::from_u128(666));

/// The number of the account's calls, with `WAITLIST_FULL=1` and without.
fn calls() -> usize {
    if std::env::var_os("WAITLIST_FULL").is_some() { 1_000 } else { 200 }
}

/// Builds visits of the account that were called: two commits each.
fn called_visits(count: usize) -> Vec<[Commit; 2]> {
    let author = Author { tenant: FLOODER, actor: Actor::User(FLOODER), ..author() };
    let visit = |_| {
        let stream = fresh_stream();
        let first = next(stream, &Tail::EMPTY, &author, &[joined()]);
        let second = next(stream, &first.tail(), &author, &[called()]);
        [first, second]
    };
    (0..count).map(visit).collect()
}

#[tokio::test]
async fn a_flood_of_calls_does_not_delay_another_accounts_guest() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let flood: Vec<Commit> = called_visits(calls()).into_iter().flatten().collect();
    stage.put_past(&flood).await;
    for commits in flood.chunks(100) {
        door.post.announce(commits).await;
    }
    let ana = door.join(json!({ "phone": PHONE })).await;
    door.does(ana, "call").await;
    door.post.announce(&stage.commits(ana).await).await;

    let burst = usize::try_from(stage.backend.fair.burst()).unwrap();
    let worked_off = door.post.work_off(&door.post.deliver(&stage)).await;
    assert_eq!(worked_off, burst + 1, "two seconds' worth of the flood, and the other account's guest");
    assert_eq!(door.told(ana).await[0], "table-ready sms sent -");

    // The tick finds what the reactor did not queue, until all of it is settled.
    for _ in 0..calls() / 50 + 2 {
        let mut left = 0;
        for visit in flood.chunks(2) {
            left += usize::from(stage.commits(visit[0].stream).await.len() == 2);
            stage.project(visit[0].stream).await;
        }
        if left == 0 {
            break;
        }
        door.pass(2);
        door.post.tick().await;
        door.pass(1);
        door.post.work_off(&door.post.deliver(&stage)).await;
    }
    for visit in flood.chunks(2) {
        assert!(stage.commits(visit[0].stream).await.len() > 2, "{} was left", visit[0].stream);
    }
}

#[tokio::test]
async fn a_message_that_a_cap_refuses_takes_no_turn_to_send() {
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let email = stage.open_email(door.owner.id).await;
    commands::user::cap_texts(&stage.backend, &email, 1).await.unwrap();
    let messengers = door.post.messengers();
    let deliver =
        Deliver::new(stage.bounded("guest-mail-account=1/24h,text-number=100/24h"), messengers.clone());
    let mut told = Vec::new();
    for contact in [json!({ "phone": PHONE }), json!({ "email": "ana@example.com" })].iter().cycle().take(6) {
        let id = door.join(contact.clone()).await;
        door.does(id, "call").await;
        deliver.attend(id.into()).await.unwrap();
        told.push(door.told(id).await.remove(0));
    }
    assert_eq!(told[..2], ["table-ready sms sent -", "table-ready email sent -"]);
    assert!(told[2..].iter().all(|told| told == "table-ready - skipped account-cap"), "{told:?}");
    assert_eq!(messengers.turns(), 2);
}

#[tokio::test]
async fn the_tick_serves_accounts_in_turn_while_ten_thousand_intents_wait() {
    let _memory = MEMORY.lock().await;
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let visits = called_visits(30);
    stage.put_past(&visits.iter().flatten().cloned().collect::<Vec<_>>()).await;
    for [first, _] in &visits {
        stage.project(first.stream).await;
    }
    let ana = door.join(json!({ "phone": PHONE })).await;
    door.does(ana, "call").await;
    stage.project(ana).await;
    let waiting = QueuedIntent::from(Intent::Attend { stream: visits[0][0].stream }).body().unwrap();
    stage.backend.deliveries.send_all(&vec![waiting; 10_000], Duration::from_secs(600)).await.unwrap();

    door.pass(2);
    assert_eq!(door.post.tick().await, Report { queued: 10 + 1, cut_short: true });
    let worked_off = door.post.work_off(&door.post.deliver(&stage)).await;
    assert_eq!(worked_off, 11);
    assert_eq!(door.told(ana).await[0], "table-ready sms sent -");
}

#[tokio::test]
async fn the_tick_finds_due_rows_behind_thousands_of_another_account() {
    const ROWS: usize = 5_600;
    let _memory = MEMORY.lock().await;
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let due_at = stage.backend.clock.now();
    let mine = WaiteeId(Uuid::from_u128(7));
    let mut rows: Vec<_> =
        (1..=ROWS).map(|n| (Uuid::from_u128(n as u128 * 1_000), FLOODER, due_at)).collect();
    rows.push((mine.0, door.owner.id, due_at.plus_minutes(1)));
    put_due(&stage, &rows).await;
    door.pass(2);
    let looked = door.post.tick().await;
    assert!(looked.cut_short && looked.queued < 200, "{looked:?}");
    let mut found = Vec::new();
    loop {
        let some = stage.backend.deliveries.receive(10).await.unwrap();
        if some.is_empty() {
            break;
        }
        found.extend(some.into_iter().map(|message| message.body));
    }
    assert!(found.iter().any(|body| body.contains(&mine.to_string())), "{} intents", found.len());
}

/// Puts rows that only the index `due` shows, under one of its keys.
async fn put_due(stage: &Stage, rows: &[(Uuid, UserId, Time)]) {
    let item = |(id, tenant, due_at): &(Uuid, UserId, Time)| {
        let fields = [
            ("id", id.to_string()),
            ("tenant", tenant.to_string()),
            ("due_in", "0".to_owned()),
            ("due_at", due_at.to_string()),
        ];
        let item = fields.map(|(name, text)| (name.to_owned(), AttributeValue::S(text)));
        PutRequest::builder().set_item(Some(HashMap::from(item))).build().unwrap()
    };
    let table = stage.live(WAITEES).await;
    for some in rows.chunks(25) {
        let puts = some.iter().map(|row| WriteRequest::builder().put_request(item(row)).build()).collect();
        let sent = stage.dynamodb.batch_write_item().request_items(&table, puts).send().await;
        assert!(sent.unwrap().unprocessed_items.unwrap_or_default().is_empty());
    }
}
