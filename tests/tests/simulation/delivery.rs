//! Generated faults in delivery: repeated and reordered stream records and queue messages, concurrent
//! senders, senders that die, lost answers of the log, carriers that refuse mails or do not answer, and hosts
//! who keep working. Each message is sent once. Where an attempt's outcome cannot be known, the log says so,
//! and the message's kind decides what follows.

mod crash;
mod judge;
mod plan;

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use futures::future::{join, join_all};
use infra::Backend;
use proptest::test_runner::TestRunner;
use reactors::delivery::Deliver;
use schema::{StreamId, WaiteeId, mail, message, user};
use serde_json::{Value, json};
use waitlist_tests::{
    carrier::Carrier,
    cases::{cases, runtime, share_out},
    delivery::Post,
    stage::{Owner, Stage},
    wire::{Fate, Wire},
};

use self::{
    judge::{agenda, assert_channels, judge, message_events},
    plan::{Plan, REQUESTS, Sender, Step, TAKEN, plan},
};

/// Each case plays a call and its consequences on a real engine.
const CASES: u32 = 24;
/// The most concurrent senders.
const SENDERS_MAX: usize = 3;
/// The most ticks until everything is settled: all attempts of each message, the end of the hold, and the end
/// of the visit.
const TICKS_MAX: usize = 40;
/// The time between two ticks.
const TICK_MS: i64 = 60_000;

/// Bounds that are never reached: they are not tested here.
const UNBOUNDED: &str = "text-account=1000000/24h,text-number=1000000/24h,guest-mail-account=1000000/24h,guest-mail-address=1000000/24h";

/// The number of cases on the same tables. An engine with the tables of a thousand cases is slow.
const CASES_OF_A_WORLD: usize = 20;

/// The senders, one process each. A sender that dies is replaced.
struct World {
    stage: Stage,
    carrier: Carrier,
    wire: Wire,
    post: Post,
    /// Senders whose connection to the log loses appends.
    shaky: Vec<Deliver>,
    sound: Deliver,
}

impl World {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let carrier = Carrier::new(&[TAKEN]).await;
        let (wire, post) = (Wire::new(&stage).await, Post::by(&stage, carrier.clone()).await);
        let shaky = |_| {
            post.deliver_over(Backend {
                log: stage.log_over(wire.client(&stage, 2)),
                ..stage.bounded(UNBOUNDED)
            })
        };
        let (shaky, sound) =
            ((0..SENDERS_MAX).map(shaky).collect(), post.deliver_over(stage.bounded(UNBOUNDED)));
        Self { stage, carrier, wire, post, shaky, sound }
    }
}

#[test]
fn each_message_is_sent_once_or_its_outcome_is_recorded_as_unknown() {
    share_out(&cases(CASES), |share| {
        let runtime = runtime();
        let worlds = RefCell::new((0, None));
        TestRunner::new(share)
            .run(&plan(), |plan| {
                let (played, world) = &mut *worlds.borrow_mut();
                if *played % CASES_OF_A_WORLD == 0 {
                    *world = Some(runtime.block_on(World::new()));
                }
                *played += 1;
                runtime.block_on(follow(world.as_ref().unwrap(), &plan));
                Ok(())
            })
            .unwrap();
    });
}

/// An outcome is recorded with patience: here every attempt of the first append is lost.
#[tokio::test]
async fn an_outcome_is_recorded_although_a_whole_append_is_lost() {
    const LOST: usize = 2 * infra::log::ATTEMPTS_MAX as usize;
    let world = World::new().await;
    let owner = world.stage.registered().await;
    world.wire.expect([vec![Fate::Delivered], vec![Fate::RequestLost; LOST]].concat());
    world.shaky[0].attend(owner.welcome().into()).await.unwrap();
    let commits = world.stage.commits(owner.welcome()).await;
    let kinds: Vec<_> = message_events(&commits).into_iter().map(|(_, event)| event).collect();
    assert!(matches!(kinds[..], [message::Event::Started(_), message::Event::Sent(_)]), "{kinds:?}");
}

async fn follow(world: &World, plan: &Plan) {
    let World { stage, carrier, wire, post, shaky, sound } = world;
    let owner = stage.owner();
    owner.registered("Ana", "ana@example.com").await;
    owner.happened(user::Event::EmailConfirmed {}).await;
    let mail = StreamId::from(owner.asked(mail::Kind::PasswordReset).await);
    let list = owner.list_with(json!({ "hold_minutes": 10, "remind_minutes": 3 })).await;
    let contact = if plan.phone { ("phone", "(415) 555-2671") } else { ("email", "ana@example.com") };
    let body = json!({ "name": "Ana", "party_size": 2, contact.0: contact.1 });
    let joined = owner.post(&format!("/v1/waitlists/{list}/waitees"), body).await;
    let id: WaiteeId = joined.id().parse().unwrap();
    send_request(&owner, id, 0).await;
    let visit = StreamId::from(id);

    carrier.answer(&[&plan.answers[..], &[TAKEN]].concat());
    wire.expect(plan.fates.iter().cloned());
    let mut crashes = 0;
    for step in &plan.steps {
        match step {
            Step::Senders(senders, request) => {
                let sending = senders
                    .iter()
                    .zip(shaky)
                    .flat_map(|(sender, deliver)| [visit, mail].map(|stream| (sender, deliver, stream)));
                let died = join_all(
                    sending.map(async |(sender, deliver, stream)| send(deliver, stream, sender).await),
                );
                let meanwhile = async {
                    if let Some(request) = request {
                        send_request(&owner, id, *request).await;
                    }
                };
                let (died, ()) = join(died, meanwhile).await;
                crashes += died.into_iter().filter(|died| *died).count();
            }
            Step::Announce(count) => {
                let commits = [stage.commits(mail).await, stage.commits(visit).await];
                for commits in commits {
                    post.announce(&commits[..commits.len().min(*count)]).await;
                }
            }
            Step::WorkOff => drop(post.work_off(sound).await),
            Step::Tick => drop(post.tick().await),
            Step::Project => project(stage, &[visit, mail]).await,
            Step::Pass(seconds) => stage.backend.clock.advance_millis(seconds * 1_000),
            Step::Host(request) => send_request(&owner, id, *request).await,
        }
    }
    wire.flush().await;
    wire.expect([]);
    let went_wrong = crashes > 0 || plan.leaves_doubt();
    settle(world, &[visit, mail]).await;
    judge(stage, post, visit, went_wrong).await;
    assert_channels(&stage.commits(visit).await, plan.phone);
    judge(stage, post, mail, went_wrong).await;
}

/// Delivers the message. Returns whether the sender died.
async fn send(deliver: &Deliver, stream: StreamId, sender: &Sender) -> bool {
    let work = async {
        for _ in 0..sender.deliveries {
            // A failed message becomes due again.
            let _comes_again = deliver.attend(stream).await;
        }
    };
    match sender.dies_after {
        Some(polls) => dies_after(polls, work).await,
        None => {
            work.await;
            false
        }
    }
}

/// Runs some work and stops in the middle, as when a process dies: only what was already sent takes effect.
async fn dies_after(polls: usize, work: impl Future<Output = ()>) -> bool {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(true);
        }
        left -= 1;
        work.as_mut().poll(context).map(|()| false)
    })
    .await
}

async fn send_request(owner: &Owner<'_>, id: WaiteeId, request: usize) {
    let (method, what, body) = REQUESTS[request];
    let body: Value = serde_json::from_str(body).unwrap();
    let answer = owner.send(method, &format!("/v1/waitees/{id}{what}"), Some(&body), &[]).await;
    // Senders may win every race for the stream.
    assert!(answer.status < 300 || answer.status == 409, "{answer:?}");
}

async fn project(stage: &Stage, streams: &[StreamId]) {
    for stream in streams {
        stage.project(*stream).await;
    }
}

/// Settles the streams without further faults: rows catch up, and the tick queues all that falls due.
async fn settle(World { stage, post, sound, .. }: &World, streams: &[StreamId]) {
    let clock = &stage.backend.clock;
    for _ in 0..TICKS_MAX {
        let mut sought = Vec::new();
        for stream in streams {
            sought.extend(agenda(&stage.commits(*stream).await).sought_at());
        }
        let Some(at) = sought.into_iter().min() else { return project(stage, streams).await };
        clock.advance_millis((at.millis() + TICK_MS - clock.now().millis()).max(0));
        project(stage, streams).await;
        post.tick().await;
        post.work_off(sound).await;
    }
    panic!("something is still due after {TICKS_MAX} ticks");
}
