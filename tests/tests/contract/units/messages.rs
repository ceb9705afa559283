//! The units of a message: lease, outcome, counts, and the reads for its wording.

use std::time::Duration;

use schema::{StreamId, WaiteeId};
use serde_json::json;
use waitlist_tests::{
    carrier::{Answer, Carrier},
    costs::documented,
    delivery::Post,
    stage::Stage,
};

use super::{reads, units};

#[tokio::test]
async fn a_message_to_a_guest_is_two_commits_and_two_counts() {
    let stage = Stage::new().await.with_set_age(Duration::ZERO); // a sender reads no rows
    let (post, owner) = (Post::new(&stage), stage.confirmed().await);
    let list = owner.list("Main room").await;
    for contact in [json!({ "phone": "(415) 555-2671" }), json!({ "email": "ana@example.com" })] {
        let mut party = json!({ "name": "Ana", "party_size": 2 });
        party.as_object_mut().unwrap().extend(contact.as_object().unwrap().clone());
        let id: WaiteeId =
            owner.post(&format!("/v1/waitlists/{list}/waitees"), party).await.id().parse().unwrap();
        owner.post(&format!("/v1/waitees/{id}/call"), json!({})).await;
        let deliver = post.deliver_over(stage.backend.clone()); // the keys of account and guest are cached
        let _before = stage.meter.take();
        deliver.attend(id.into()).await.unwrap();
        let used = stage.meter.take();
        assert_eq!(used.writes, units([("events", 2), ("events/audit", 2), ("limits", 2)]), "{contact}");
        let channel = if contact.get("phone").is_some() { "a text" } else { "an e-mail" };
        documented(&stage, &format!("{channel} to a guest, keys cached"), &used);
        if stage.counts_reads() {
            // The visit is read to start, for the lease, for the outcome, and for further work; then the
            // list; for a text the account; before the send the account and the visit once more.
            assert_eq!(used.reads.keys().collect::<Vec<_>>(), ["events"], "{used:?}");
            assert!(used.reads["events"] <= 8.0, "{used:?}");
        }

        let _before = stage.meter.take();
        deliver.attend(id.into()).await.unwrap();
        let used = stage.meter.take();
        assert_eq!(used.writes, units([]), "a repeated intent writes nothing");
        documented(&stage, "a queue message with nothing to do", &used);
        if stage.counts_reads() {
            assert_eq!(used.reads, reads([("events", 1.0)]));
        }
    }
}

#[tokio::test]
async fn counts_of_a_refused_message_are_given_back() {
    let stage = Stage::new().await;
    let post = Post::by(&stage, Carrier::new(&[Answer::With(503, "")]).await).await;
    let owner = stage.confirmed().await;
    let list = owner.list("Main room").await;
    let party = json!({ "name": "Ana", "party_size": 2, "email": "ana@example.com" });
    let id: WaiteeId =
        owner.post(&format!("/v1/waitlists/{list}/waitees"), party).await.id().parse().unwrap();
    owner.post(&format!("/v1/waitees/{id}/call"), json!({})).await;
    let deliver = post.deliver_over(stage.backend.clone());
    let _before = stage.meter.take();
    deliver.attend(id.into()).await.unwrap();
    // The message stays on the queue and becomes due again.
    let used = stage.meter.take().writes;
    assert_eq!(
        ["events", "events/audit", "limits"].map(|table| used.get(table).copied()),
        [Some(2.0), Some(2.0), Some(4.0)],
        "{used:?}"
    );
}

#[tokio::test]
async fn a_mail_to_an_owner_is_two_commits() {
    let stage = Stage::new().await;
    let (post, owner) = (Post::new(&stage), stage.registered().await);
    let deliver = post.deliver_over(stage.backend.clone());
    let _before = stage.meter.take();
    deliver.attend(owner.welcome().into()).await.unwrap();
    let used = stage.meter.take();
    assert_eq!(used.writes, units([("events", 2), ("events/audit", 2)]));
    documented(&stage, "an e-mail to an owner, keys cached", &used);
    assert_eq!(post.sent_about(owner.welcome()).len(), 1);
}

#[tokio::test]
async fn a_lease_does_not_write_the_due_index() {
    let stage = Stage::new().await;
    let (post, owner) = (Post::new(&stage), stage.confirmed().await);
    let list = owner.list("Main room").await;
    let (row, active, due) = ("events-waitees-g0", "events-waitees-g0/active", "events-waitees-g0/due");
    let party = json!({ "name": "Ana", "party_size": 2, "phone": "(415) 555-2671" });
    let id: WaiteeId =
        owner.post(&format!("/v1/waitlists/{list}/waitees"), party).await.id().parse().unwrap();
    owner.post(&format!("/v1/waitees/{id}/call"), json!({})).await;
    post.deliver(&stage).attend(id.into()).await.unwrap();
    let commits = stage.commits(id).await;
    let stream = StreamId::from(id);
    let mut rung = Vec::new();
    for commit in commits {
        let _before = stage.meter.take();
        let doorbell = projections::feed::Doorbell { stream, last: commit.last, commits: vec![commit] };
        projections::feed::apply(&stage.backend, &doorbell).await.unwrap();
        rung.push(stage.meter.take().writes);
    }
    let day = "events-waitees-g0/day";
    assert_eq!(rung[0], units([(row, 1), (active, 1), (day, 1), (due, 1)]), "joined");
    assert_eq!(rung[1], units([(row, 1), (active, 1), (due, 2)]), "called: the end of the hold becomes due");
    assert_eq!(rung[2], units([(row, 1), (active, 1)]), "started: the due time is unchanged");
    assert_eq!(rung[3], units([(row, 1), (active, 1), (due, 2)]), "sent: the end of the hold is due next");
}

/// Half a read unit for each key of the index in each of four tables, however many rows are not due.
#[tokio::test]
async fn a_tick_that_finds_nothing_costs_half_a_unit_for_each_key() {
    let stage = Stage::new().await;
    let (post, owner) = (Post::new(&stage), stage.registered().await);
    let list = owner.list("Main room").await;
    for name in ["Ana", "Ben", "Cleo"] {
        let id: WaiteeId = owner.join(&list, name).await.parse().unwrap();
        stage.project(id).await;
    }
    let tick = reactors::tick::Tick::new(stage.backend.clone());
    let _before = stage.meter.take();
    assert_eq!(tick.look().await.unwrap().queued, 0);
    let used = stage.meter.take();
    assert_eq!(used.writes, units([]));
    assert_eq!(used.calls, 1 + 8 * 4, "one call for the queue, and one for each key of four tables");
    documented(&stage, "a tick that finds nothing due", &used);
    if stage.counts_as_documented() {
        let each = 8.0 * 0.5;
        let wanted = reads([
            ("events-waitees-g0/due", each),
            ("events-users-g0/due", each),
            ("events-mails-g0/due", each),
            ("events-waitlists-g0/due", each),
            ("queue/visible", 0.5),
        ]);
        assert_eq!(used.reads, wanted);
    }
    drop(post);
}
