//! Generated cases of delivery.

use proptest::{collection::vec, prelude::*};
use waitlist_tests::{carrier::Answer, wire::Fate};

use super::SENDERS_MAX;

/// The most times that one sender gets the same queue message.
const DELIVERIES_MAX: usize = 5;
/// The most polls before a sender dies. A send takes some dozens of polls, so it dies anywhere on its way.
const POLLS_MAX: usize = 60;
/// The most mails that get a generated answer. Later ones are accepted.
const ANSWERS_MAX: usize = 6;

/// One step of a case.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Senders get the queue message several times and may die on the way. Meanwhile a host may send a
    /// request.
    Senders(Vec<Sender>, Option<usize>),
    /// The reactor gets records of the stream's first commits, perhaps again.
    Announce(usize),
    /// Deliver works off the queue.
    WorkOff,
    /// The tick runs on the rows as they are.
    Tick,
    /// The rows catch up.
    Project,
    /// Time passes, in seconds.
    Pass(i64),
    /// A host sends a request.
    Host(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) deliveries: usize,
    pub(super) dies_after: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Whether the guest has a phone number; otherwise an e-mail address.
    pub(super) phone: bool,
    pub(super) steps: Vec<Step>,
    /// The fates of the senders' appends.
    pub(super) fates: Vec<Fate>,
    /// The carrier's answers to mails.
    pub(super) answers: Vec<Answer>,
}

impl Plan {
    /// Whether the outcome of an attempt may remain unknown.
    pub(super) fn leaves_doubt(&self) -> bool {
        let is_cut = |answer: &Answer| matches!(answer, Answer::Cut | Answer::AcceptedAndCut);
        self.fates.iter().any(|fate| *fate != Fate::Delivered) || self.answers.iter().any(is_cut)
    }
}

pub(super) fn plan() -> impl Strategy<Value = Plan> {
    let sender = (1..=DELIVERIES_MAX, prop::option::of(1..POLLS_MAX))
        .prop_map(|(deliveries, dies_after)| Sender { deliveries, dies_after });
    let step = prop_oneof![
        5 => (vec(sender, 1..=SENDERS_MAX), prop::option::of(0..REQUESTS.len())).prop_map(|(senders, request)| Step::Senders(senders, request)),
        2 => (1_usize..6).prop_map(Step::Announce),
        3 => Just(Step::WorkOff),
        2 => Just(Step::Tick),
        2 => Just(Step::Project),
        4 => prop_oneof![Just(1), Just(20), Just(61), Just(130), Just(601)].prop_map(Step::Pass),
        3 => (0..REQUESTS.len()).prop_map(Step::Host),
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

pub(super) const TAKEN: Answer = Answer::With(200, r#"{"MessageId":"one"}"#);

const TOO_FAST: Answer = Answer::With(429, r#"{"__type":"TooManyRequestsException"}"#);
const BROKEN: Answer = Answer::With(503, "");

const REJECTED: Answer = Answer::With(400, r#"{"__type":"MessageRejected"}"#);

/// Requests of hosts and guests in the meantime.
pub(super) const REQUESTS: [(&str, &str, &str); 7] = [
    ("POST", "/call", "{}"),
    ("POST", "/confirm", "{}"),
    ("POST", "/seat", "{}"),
    ("POST", "/restore", "{}"),
    ("POST", "/leave", "{}"),
    ("PATCH", "", r#"{"note": "by the window"}"#),
    ("PATCH", "", r#"{"phone": null, "email": "ben@example.com"}"#),
];
