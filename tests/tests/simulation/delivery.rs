//! Messages in bad company: stream records and messages of the queue that come again and out of order, senders side by side, senders
//! that die at any moment, answers of the log that get lost, carriers that turn mails away or do not say whether they took them,
//! hosts who go on all the while. Each message is sent once; where nobody can know whether it was, the ledger says so, and what
//! follows is what was declared.

mod crash;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use futures::future::{join, join_all};
use infra::Backend;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use reactors::delivery::Deliver;
use schema::{
    Commit, Fact, StreamId, Time, WaiteeId,
    agenda::Agenda,
    mail,
    message::{self, Channel, IfUnknown, MessageId, Standing},
    user, waitee,
};
use serde_json::{Value, json};
use waitlist_tests::{
    carrier::{Answer, Carrier},
    cases::cases,
    delivery::Post,
    past::walk,
    stage::{Owner, Stage},
    wire::{Fate, Wire},
};

/// A case plays a call and what follows on a real engine.
const CASES: u32 = 24;
/// Senders side by side.
const SENDERS_MAX: usize = 3;
/// How often one sender is given the same message of the queue.
const DELIVERIES_MAX: usize = 5;
/// A sender is polled some dozens of times on its way; where in between it dies is left to chance.
const POLLS_MAX: usize = 60;
/// Mails that meet a carrier of this case's; those that come later are taken.
const ANSWERS_MAX: usize = 6;
/// Looks within which everything is settled: each message as often as it is tried, the end of the hold, and that of the visit.
const LOOKS_MAX: usize = 40;
/// Between two looks. What has to be found in a minute is found by then.
const LOOK_MS: i64 = 60_000;

/// Not what is counted is looked at here.
const UNBOUNDED: &str = "text-account=1000000/24h,text-number=1000000/24h,guest-mail-account=1000000/24h,guest-mail-address=1000000/24h";

const TAKEN: Answer = Answer::With(200, r#"{"MessageId":"one"}"#);
const TOO_FAST: Answer = Answer::With(429, r#"{"__type":"TooManyRequestsException"}"#);
const BROKEN: Answer = Answer::With(503, "");
const REJECTED: Answer = Answer::With(400, r#"{"__type":"MessageRejected"}"#);

/// What a host or guest does meanwhile.
const DEEDS: [(&str, &str, &str); 7] = [
    ("POST", "/call", "{}"),
    ("POST", "/confirm", "{}"),
    ("POST", "/seat", "{}"),
    ("POST", "/restore", "{}"),
    ("POST", "/leave", "{}"),
    ("PATCH", "", r#"{"note": "by the window"}"#),
    ("PATCH", "", r#"{"phone": null, "email": "ben@example.com"}"#),
];

/// Something happens.
#[derive(Clone, Debug)]
enum Step {
    /// Senders are given the message, each so often, and may die on the way; meanwhile a host may do something.
    Senders(Vec<Sender>, Option<usize>),
    /// The stream tells the reactor of the first commits of the stream, not for the first time perhaps.
    Announce(usize),
    /// The queue is worked off.
    WorkOff,
    /// The minute's look, on rows as they are.
    Look,
    /// The rows catch up.
    Project,
    /// Time passes, in seconds.
    Pass(i64),
    /// A host does something.
    Host(usize),
}

#[derive(Clone, Debug)]
struct Sender {
    deliveries: usize,
    dies_after: Option<usize>,
}

#[derive(Clone, Debug)]
struct Plan {
    /// Whether the guest has a telephone; else an address.
    phone: bool,
    steps: Vec<Step>,
    /// What becomes of the senders' appends.
    fates: Vec<Fate>,
    /// What the carrier does with mails.
    answers: Vec<Answer>,
}

impl Plan {
    /// Whether somebody may be left who does not know what became of a message.
    fn leaves_doubt(&self) -> bool {
        let is_cut = |answer: &Answer| matches!(answer, Answer::Cut | Answer::AcceptedAndCut);
        self.fates.iter().any(|fate| *fate != Fate::Delivered) || self.answers.iter().any(is_cut)
    }
}

fn plan() -> impl Strategy<Value = Plan> {
    let sender = (1..=DELIVERIES_MAX, prop::option::of(1..POLLS_MAX))
        .prop_map(|(deliveries, dies_after)| Sender { deliveries, dies_after });
    let step = prop_oneof![
        5 => (vec(sender, 1..=SENDERS_MAX), prop::option::of(0..DEEDS.len())).prop_map(|(senders, deed)| Step::Senders(senders, deed)),
        2 => (1_usize..6).prop_map(Step::Announce),
        3 => Just(Step::WorkOff),
        2 => Just(Step::Look),
        2 => Just(Step::Project),
        4 => prop_oneof![Just(1), Just(20), Just(61), Just(130), Just(601)].prop_map(Step::Pass),
        3 => (0..DEEDS.len()).prop_map(Step::Host),
    ];
    let fate = prop_oneof![4 => Just(Fate::Delivered), 1 => Just(Fate::RequestLost), 1 => Just(Fate::AnswerLost), 1 => Just(Fate::Late)];
    let answer = prop_oneof![
        3 => Just(TAKEN),
        1 => Just(TOO_FAST),
        1 => Just(BROKEN),
        1 => Just(REJECTED),
        1 => Just(Answer::Cut),
        1 => Just(Answer::AcceptedAndCut),
    ];
    let parts = (any::<bool>(), vec(step, 1..12), vec(fate, 0..8), vec(answer, 0..ANSWERS_MAX));
    parts.prop_map(|(phone, steps, fates, answers)| Plan { phone, steps, fates, answers })
}

/// Cases that are played on the same tables: an engine that holds those of a thousand cases is slow.
const CASES_OF_A_CREW: usize = 20;

/// Those who send, each as a process of its own; whoever dies is followed by another with the same place.
struct Crew {
    stage: Stage,
    carrier: Carrier,
    wire: Wire,
    post: Post,
    /// Over a wire on which appends get lost.
    shaky: Vec<Deliver>,
    sound: Deliver,
}

impl Crew {
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
fn whatever_happens_each_message_is_sent_once_or_the_ledger_says_that_nobody_knows() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let crews = RefCell::new((0, None));
    let mut runner = TestRunner::new(cases(CASES));
    runner
        .run(&plan(), |plan| {
            let (played, crew) = &mut *crews.borrow_mut();
            if *played % CASES_OF_A_CREW == 0 {
                *crew = Some(runtime.block_on(Crew::new()));
            }
            *played += 1;
            runtime.block_on(follow(crew.as_ref().unwrap(), &plan));
            Ok(())
        })
        .unwrap();
}

/// What is known of a message is recorded with patience: all of an append's own tries are lost, and the next ones are not.
#[tokio::test]
async fn an_outcome_is_worth_more_than_one_append() {
    const LOST: usize = 2 * infra::log::ATTEMPTS_MAX as usize;
    let crew = Crew::new().await;
    let owner = crew.stage.registered().await;
    crew.wire.expect([vec![Fate::Delivered], vec![Fate::RequestLost; LOST]].concat());
    crew.shaky[0].attend(owner.welcome().into()).await.unwrap();
    let commits = crew.stage.commits(owner.welcome()).await;
    let kinds: Vec<_> = happened(&commits).into_iter().map(|(_, event)| event).collect();
    assert!(matches!(kinds[..], [message::Event::Started(_), message::Event::Sent(_)]), "{kinds:?}");
}

async fn follow(crew: &Crew, plan: &Plan) {
    let Crew { stage, carrier, wire, post, shaky, sound } = crew;
    let owner = stage.owner();
    owner.registered("Ana", "ana@example.com").await;
    owner.happened(user::Event::EmailConfirmed {}).await;
    let mail = StreamId::from(owner.asked(mail::Kind::PasswordReset).await);
    let list = owner.list_with(json!({ "hold_minutes": 10, "remind_minutes": 3 })).await;
    let contact = if plan.phone { ("phone", "(415) 555-2671") } else { ("email", "ana@example.com") };
    let body = json!({ "name": "Ana", "party_size": 2, contact.0: contact.1 });
    let joined = owner.post(&format!("/v1/waitlists/{list}/waitees"), body).await;
    let id: WaiteeId = joined.id().parse().unwrap();
    host(&owner, id, 0).await;
    let visit = StreamId::from(id);

    carrier.answer(&[&plan.answers[..], &[TAKEN]].concat());
    wire.expect(plan.fates.iter().cloned());
    let mut crashes = 0;
    for step in &plan.steps {
        match step {
            Step::Senders(senders, deed) => {
                let sending = senders
                    .iter()
                    .zip(shaky)
                    .flat_map(|(sender, deliver)| [visit, mail].map(|stream| (sender, deliver, stream)));
                let died = join_all(
                    sending.map(async |(sender, deliver, stream)| send(deliver, stream, sender).await),
                );
                let meanwhile = async {
                    if let Some(deed) = deed {
                        host(&owner, id, *deed).await;
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
            Step::Look => drop(post.look().await),
            Step::Project => project(stage, &[visit, mail]).await,
            Step::Pass(seconds) => stage.backend.clock.advance_millis(seconds * 1_000),
            Step::Host(deed) => host(&owner, id, *deed).await,
        }
    }
    wire.flush().await;
    wire.expect([]);
    let went_wrong = crashes > 0 || plan.leaves_doubt();
    settle(crew, &[visit, mail]).await;
    judge(stage, post, visit, went_wrong).await;
    goes_where_the_guest_is(&stage.commits(visit).await, plan.phone);
    judge(stage, post, mail, went_wrong).await;
}

/// Whether the sender died.
async fn send(deliver: &Deliver, stream: StreamId, sender: &Sender) -> bool {
    let work = async {
        for _ in 0..sender.deliveries {
            // What fails comes again; in the end everything answers.
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

/// Runs something, and stops in the middle of it as a process does that dies: nothing of it runs on but what has left already.
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

async fn host(owner: &Owner<'_>, id: WaiteeId, deed: usize) {
    let (method, what, body) = DEEDS[deed];
    let body: Value = serde_json::from_str(body).unwrap();
    let answer = owner.send(method, &format!("/v1/waitees/{id}{what}"), Some(&body), &[]).await;
    // Those who send may be faster, again and again.
    assert!(answer.status < 300 || answer.status == 409, "{answer:?}");
}

async fn project(stage: &Stage, streams: &[StreamId]) {
    for stream in streams {
        stage.project(*stream).await;
    }
}

/// Nothing goes wrong any more: rows catch up, and whenever something is due a look finds it, and it is done.
async fn settle(Crew { stage, post, sound, .. }: &Crew, streams: &[StreamId]) {
    let clock = &stage.backend.clock;
    for _ in 0..LOOKS_MAX {
        let mut sought = Vec::new();
        for stream in streams {
            sought.extend(agenda(&stage.commits(*stream).await).sought_at());
        }
        let Some(at) = sought.into_iter().min() else { return project(stage, streams).await };
        clock.advance_millis((at.millis() + LOOK_MS - clock.now().millis()).max(0));
        project(stage, streams).await;
        post.look().await;
        post.work_off(sound).await;
    }
    panic!("something is due still, after {LOOKS_MAX} looks");
}

/// What the log says of one attempt to send a message.
#[derive(Default)]
struct Attempt {
    began: Option<Time>,
    until: Option<Time>,
    outcome: Option<message::Event>,
    ended: Option<Time>,
}

/// Whether what was sent is what the log says, neither more nor less.
async fn judge(stage: &Stage, post: &Post, stream: StreamId, went_wrong: bool) {
    let commits = stage.commits(stream).await;
    walk(&commits).unwrap();
    let went = post.messages_about(stream);
    let story = || format!("{went:?}\n{:#?}", commits.iter().map(|c| (c.at, &c.events)).collect::<Vec<_>>());
    let agenda = agenda(&commits);
    assert_eq!(agenda.next(), None, "{}", story());

    let mut attempts: BTreeMap<(MessageId, u32), Attempt> = BTreeMap::new();
    for (at, event) in happened(&commits) {
        match &event {
            message::Event::Started(started) => {
                let attempt = attempts.entry((started.message, started.attempt)).or_default();
                assert!(attempt.began.is_none(), "one lease for one attempt: {}", story());
                (attempt.began, attempt.until) = (Some(at), Some(started.until));
            }
            message::Event::Sent(message::Sent { message, attempt, .. })
            | message::Event::Failed(message::Failed { message, attempt, .. }) => {
                let attempt = attempts.entry((*message, *attempt)).or_default();
                (attempt.outcome, attempt.ended) = (Some(event.clone()), Some(at));
            }
            // Who has a message to themselves knows that it was not sent.
            message::Event::Skipped(message::Skipped { message, attempt: Some(attempt), .. }) => {
                let attempt = attempts.entry((*message, *attempt)).or_default();
                (attempt.outcome, attempt.ended) = (Some(event.clone()), Some(at));
            }
            message::Event::Skipped(_) | message::Event::Bounced(_) => {}
        }
    }
    for ((message, number), attempt) in &attempts {
        assert!(
            attempt.began.is_some() && *number <= message.kind.attempts_max(),
            "no outcome without a lease: {}",
            story()
        );
        if *number > 1 {
            let before = &attempts[&(*message, number - 1)];
            assert!(before.ended.or(before.until) <= attempt.began, "nobody else has it: {}", story());
            match &before.outcome {
                // It may become known later that this one was sent after all.
                None | Some(message::Event::Sent(_)) => {
                    assert_eq!(message.kind.if_unknown(), IfUnknown::SendAgain, "{}", story())
                }
                Some(message::Event::Failed(failed)) => {
                    assert!(
                        failed.again_at.is_some_and(|at| Some(at) <= attempt.began),
                        "too soon, or for good: {}",
                        story()
                    );
                }
                Some(other) => panic!("{other:?} ends it: {}", story()),
            }
        }
    }
    for entry in agenda.messages.entries() {
        let of = |wanted: fn(&Attempt) -> bool| {
            attempts.iter().filter(|((id, _), attempt)| *id == entry.id && wanted(attempt)).count()
        };
        let sent_of = went.iter().filter(|sent| **sent == entry.id.to_string()).count();
        let known = of(|attempt| matches!(attempt.outcome, Some(message::Event::Sent(_))));
        let unknown = of(|attempt| attempt.outcome.is_none());
        assert!(
            (known..=known + unknown).contains(&sent_of),
            "{} sent {sent_of} times, {known} known, {unknown} not: {}",
            entry.id,
            story()
        );
        assert!(known <= 1 || unknown > 0, "sent twice for nothing: {}", story());
        match &entry.standing {
            Standing::Sent { .. } => assert!(sent_of > 0, "{}", story()),
            Standing::Skipped { .. } | Standing::Failed { .. } if entry.in_doubt => {
                assert!(unknown > 0, "{}", story())
            }
            Standing::Skipped { .. } | Standing::Failed { .. } => assert_eq!(sent_of, 0, "{}", story()),
            Standing::Started { .. } => {
                assert!(went_wrong, "nobody knows, and nothing went wrong: {}", story())
            }
            Standing::Due { .. } => panic!("nobody began it: {}", story()),
            Standing::Bounced { .. } => panic!("nothing came back: {}", story()),
        }
        if !went_wrong {
            assert!(sent_of <= 1 && unknown == 0, "{}", story());
        }
    }
    for sent in &went {
        assert!(
            agenda.messages.entry(sent.parse().unwrap()).is_some(),
            "a message that nothing led to: {}",
            story()
        );
    }
}

/// A message is begun for a telephone while the visit has one, and else for an address: whatever a host changed meanwhile.
fn goes_where_the_guest_is(commits: &[Commit], mut phone: bool) {
    for event in
        commits.iter().flat_map(|commit| commit.facts::<waitee::Event>().unwrap()).map(|fact| fact.event)
    {
        match event {
            waitee::Event::DetailsChanged(details) => phone &= details.phone != Some(None),
            waitee::Event::Notification(message::Event::Started(started)) => {
                assert_eq!(started.channel == Channel::Sms, phone, "{commits:#?}")
            }
            _ => {}
        }
    }
}

fn agenda(commits: &[Commit]) -> Agenda {
    let mut agenda = Agenda::default();
    for commit in commits {
        match commit.facts::<waitee::Event>() {
            Ok(facts) => agenda = facts.iter().fold(agenda, Agenda::of_visit),
            Err(_) => agenda = mail_facts(commit).iter().fold(agenda, Agenda::of_mail),
        }
    }
    agenda
}

fn mail_facts(commit: &Commit) -> Vec<Fact<mail::Event>> {
    commit.facts().unwrap()
}

/// The events of messages, with their times.
fn happened(commits: &[Commit]) -> Vec<(Time, message::Event)> {
    let of_visit = |event| if let waitee::Event::Notification(event) = event { Some(event) } else { None };
    let of_mail = |event| if let mail::Event::Message(event) = event { Some(event) } else { None };
    let of = |commit: &Commit| match commit.facts::<waitee::Event>() {
        Ok(facts) => facts.into_iter().filter_map(|fact| of_visit(fact.event)).collect::<Vec<_>>(),
        Err(_) => mail_facts(commit).into_iter().filter_map(|fact| of_mail(fact.event)).collect(),
    };
    commits.iter().flat_map(|commit| of(commit).into_iter().map(|event| (commit.at, event))).collect()
}
