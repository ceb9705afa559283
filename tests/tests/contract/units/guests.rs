//! The units of guests' own requests and of an account's own page.

use futures::future::join_all;
use infra::log;
use schema::{StreamId, UserId, WaitlistId, user::Event};
use serde_json::{Value, json};
use waitlist_tests::{
    costs::documented,
    stage::{Answer, Stage, send},
};

use super::{WRITE_UNIT_BYTES, reads, rung, units, visit};

async fn ask(stage: &Stage, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let answer = send(&stage.backend, None, method, path, body, &[]).await;
    assert!(answer.status < 300, "{method} {path}: {answer:?}");
    answer
}

async fn join(stage: &Stage, list: &str) -> Answer {
    let body = json!({
        "name": "Ana María González", "party_size": 4, "phone": "(415) 555-2671", "note": "high chair, by the window if possible",
    });
    ask(stage, "POST", &format!("/v1/public/waitlists/{list}/waitees"), Some(&body)).await
}

#[tokio::test]
async fn a_guest_who_joins_costs_as_much_as_a_party_added_by_a_host_and_two_counts() {
    let stage = Stage::new().await;
    let list = stage.owner().list("Main room").await;
    let _before = stage.meter.take();
    let joined = join(&stage, &list).await;
    let used = stage.meter.take();
    assert_eq!(used.writes, units([("events", 1), ("events/audit", 1), ("vault", 1), ("limits", 2)]));
    documented(&stage, "a guest joins by themselves", &used);
    if stage.counts_reads() {
        // As when a host adds a party. The account's key is cached.
        let most = reads([("events", 2.0), ("events-waitees-g0/active", 0.5)]);
        assert!(
            used.reads.iter().all(|(name, units)| most.get(name).is_some_and(|most| units <= most)),
            "{used:?}"
        );
    }
    assert!(log::size(&stage.item(visit(&joined.id()), 1).await) < WRITE_UNIT_BYTES);

    let leave = format!("/v1/public/visits/{}/leave", joined.body["visit_token"].as_str().unwrap());
    ask(&stage, "POST", &leave, None).await;
    let used = stage.meter.take();
    assert_eq!(used.writes, units([("events", 1), ("events/audit", 1)]));
    documented(&stage, "a guest leaves", &used);
    if stage.counts_reads() {
        assert_eq!(
            used.reads,
            reads([("events", 2.0)]),
            "the visit is read by its token, and again for the decision"
        );
    }
}

#[tokio::test]
async fn a_public_list_and_a_visit_are_read_for_a_few_units() {
    let stage = Stage::new().await;
    let list = stage.owner().list("Main room").await;
    let joined = join(&stage, &list).await;
    stage.project(StreamId::from(list.parse::<WaitlistId>().unwrap())).await;
    stage.project(visit(&joined.id())).await;
    let visit = format!("/v1/public/visits/{}", joined.body["visit_token"].as_str().unwrap());
    let (door, row, active) =
        (format!("/v1/public/waitlists/{list}"), "events-waitees-g0", "events-waitees-g0/active");
    stage.backend.clock.advance_millis(60_000); // no key is cached any longer
    for (path, rows, keys) in [(&door, 0.0, 1.0), (&door, 0.0, 0.0), (&visit, 1.0, 1.0), (&visit, 1.0, 0.0)] {
        stage.backend.clock.advance_millis(1_000); // the answer of the list is kept for a second
        let _before = stage.meter.take();
        ask(&stage, "GET", path, None).await;
        let used = stage.meter.take();
        assert_eq!(used.writes, units([]));
        if keys == 0.0 {
            let page = if path == &door { "a list as guests see it" } else { "a guest's own visit" };
            documented(&stage, &format!("{page}, keys cached"), &used);
        }
        if stage.counts_reads() {
            let wanted = reads([("events-waitlists-g0", 1.0), (row, rows), (active, 0.5), ("vault", keys)]);
            assert_eq!(used.reads, wanted, "{path}, with {keys} keys to read");
        }
    }
}

#[tokio::test]
async fn a_hundred_guests_who_read_a_list_within_a_second_cost_one_read() {
    let stage = Stage::new().await;
    let list = stage.owner().list("Main room").await;
    let joined = join(&stage, &list).await;
    stage.project(StreamId::from(list.parse::<WaitlistId>().unwrap())).await;
    stage.project(visit(&joined.id())).await;
    let door = format!("/v1/public/waitlists/{list}");
    let _before = stage.meter.take();
    let answers = join_all((0..50).map(|_| ask(&stage, "GET", &door, None))).await;
    stage.backend.clock.advance_millis(999);
    let later = join_all((0..50).map(|_| ask(&stage, "GET", &door, None))).await;
    let used = stage.meter.take();
    assert!(
        answers.iter().chain(&later).all(|answer| answer.body == answers[0].body && answer.status == 200)
    );
    assert_eq!(used.calls, 2, "the list and its index");
    documented(&stage, "a hundred reads of a list as guests see it within a second, keys cached", &used);
    if stage.counts_reads() {
        assert_eq!(used.reads, reads([("events-waitlists-g0", 1.0), ("events-waitees-g0/active", 0.5)]));
    }
}

#[tokio::test]
async fn an_account_is_one_row_written_and_read_for_one_unit() {
    let stage = Stage::new().await;
    let owner = stage.owner();
    owner.registered("Ana", "ana@example.com").await;
    let stream = StreamId::from(UserId(owner.id.0));
    assert_eq!(
        rung(&stage, stream, "events-users-g0", "a new account").await,
        units([("events-users-g0", 1)])
    );
    let of_mail = ["events-mails-g0", "events-mails-g0/confirming", "events-mails-g0/due"];
    assert_eq!(
        rung(&stage, owner.welcome().into(), "events-mails-g0", "a mail to an owner is asked for").await,
        units(of_mail.map(|table| (table, 1)))
    );
    owner.happened(Event::EmailConfirmed {}).await;
    assert_eq!(
        rung(&stage, stream, "events-users-g0", "an account changes").await,
        units([("events-users-g0", 1)])
    );
    let _before = stage.meter.take();
    assert_eq!(owner.get("/v1/me").await.status, 200);
    let used = stage.meter.take();
    assert_eq!(used.calls, 2, "the account's row and its mail's; the key is cached");
    documented(&stage, "an account's own page, its key cached", &used);
    if stage.counts_reads() {
        assert_eq!(used.reads, reads([("events-users-g0", 1.0), ("events-mails-g0/confirming", 0.5)]));
    }
}
