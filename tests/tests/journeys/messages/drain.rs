//! A full queue is worked off in bounded memory.

use std::time::Duration;

use reactors::{
    intent::{Intent, QueuedIntent},
    tick::Report,
};
use schema::WaiteeId;
use serde_json::json;
use waitlist_tests::stage::Stage;

use super::{Door, MEMORY};

/// The number of called parties. The queue names each of them many times.
const PARTIES: usize = 20;
/// The number of intents with `WAITLIST_FULL=1`, and without.
const INTENTS_FULL: usize = 10_000;
const INTENTS: usize = 400;

/// The bound on the growth of memory. A process that kept handled messages would need more.
const GROWTH_KIB_MAX: u64 = 48 * 1024;

/// Returns the resident memory of this process, which includes the engine.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_intents_send_twenty_messages_and_leave_no_memory_in_use() {
    let _memory = MEMORY.lock().await;
    let full = std::env::var_os("WAITLIST_FULL").is_some();
    let intents = if full { INTENTS_FULL } else { INTENTS };
    let stage = Stage::new().await;
    let door = Door::open(&stage).await;
    let mut parties: Vec<WaiteeId> = Vec::new();
    for number in 0..PARTIES {
        let id = door.join(json!({ "email": format!("guest-{number}@example.com") })).await;
        door.does(id, "call").await;
        parties.push(id);
    }
    let bodies = (0..intents).map(|number| {
        QueuedIntent::from(Intent::Attend { stream: parties[number % PARTIES].into() }).body().unwrap()
    });
    let bodies: Vec<String> = bodies.collect();
    stage.backend.deliveries.send_all(&bodies, Duration::ZERO).await.unwrap();
    assert_eq!(stage.backend.deliveries.waiting(intents * 2).await.unwrap(), intents);

    if full {
        assert_eq!(
            door.post.tick().await,
            Report { queued: 0, cut_short: false },
            "a tick queues nothing while this many messages wait"
        );
    }
    let deliver = door.post.deliver(&stage);
    let mut worked_off = 0;
    let mut begun_with = 0;
    while worked_off < intents {
        let some = door.post.work_off_some(&deliver, 100).await;
        assert!(some > 0, "{worked_off} of {intents}");
        worked_off += some;
        if begun_with == 0 {
            begun_with = resident_kib();
        }
    }
    let grown = resident_kib().saturating_sub(begun_with);
    println!("{intents} intents: {begun_with} KiB after the first hundred, {grown} KiB more after the last");
    assert!(grown < GROWTH_KIB_MAX, "{grown} KiB more than after the first hundred");
    door.pass(2); // messages that met another sender's lease are due again
    door.post.work_off(&deliver).await;
    assert_eq!(stage.backend.deliveries.waiting(intents).await.unwrap(), 0);
    for id in parties {
        assert_eq!(door.sent(id).len(), 1);
    }
}
