//! The assertions about a settled stream: the sent messages are those that the log records.

use std::collections::BTreeMap;

use schema::{
    Commit, Fact, StreamId, Time,
    agenda::Agenda,
    mail,
    message::{self, Channel, IfUnknown, MessageId, Standing},
    waitee,
};
use waitlist_tests::{delivery::Post, past::walk, stage::Stage};

/// One attempt to send a message, as the log records it.
#[derive(Default)]
struct Attempt {
    began: Option<Time>,
    until: Option<Time>,
    outcome: Option<message::Event>,
    ended: Option<Time>,
}

/// Asserts that the sent messages are those that the log records.
pub(super) async fn judge(stage: &Stage, post: &Post, stream: StreamId, went_wrong: bool) {
    let commits = stage.commits(stream).await;
    walk(&commits).unwrap();
    let went = post.messages_about(stream);
    let story = || format!("{went:?}\n{:#?}", commits.iter().map(|c| (c.at, &c.events)).collect::<Vec<_>>());
    let agenda = agenda(&commits);
    assert_eq!(agenda.next(), None, "{}", story());

    let mut attempts: BTreeMap<(MessageId, u32), Attempt> = BTreeMap::new();
    for (at, event) in message_events(&commits) {
        match &event {
            message::Event::Started(started) => {
                let attempt = attempts.entry((started.message, started.attempt)).or_default();
                assert!(attempt.began.is_none(), "one lease for each attempt: {}", story());
                (attempt.began, attempt.until) = (Some(at), Some(started.until));
            }
            message::Event::Sent(message::Sent { message, attempt, .. })
            | message::Event::Failed(message::Failed { message, attempt, .. }) => {
                let attempt = attempts.entry((*message, *attempt)).or_default();
                (attempt.outcome, attempt.ended) = (Some(event.clone()), Some(at));
            }
            // A sender that holds the lease and skips the message knows that it was not sent.
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
            "an outcome without a lease: {}",
            story()
        );
        if *number > 1 {
            let before = &attempts[&(*message, number - 1)];
            assert!(before.ended.or(before.until) <= attempt.began, "two attempts overlap: {}", story());
            match &before.outcome {
                // The outcome of the earlier attempt may have been recorded late.
                None | Some(message::Event::Sent(_)) => {
                    assert_eq!(message.kind.if_unknown(), IfUnknown::SendAgain, "{}", story())
                }
                Some(message::Event::Failed(failed)) => {
                    assert!(
                        failed.again_at.is_some_and(|at| Some(at) <= attempt.began),
                        "tried again too soon, or after a final failure: {}",
                        story()
                    );
                }
                Some(other) => panic!("an attempt after {other:?}: {}", story()),
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
            "{} was sent {sent_of} times, {known} known, {unknown} unknown: {}",
            entry.id,
            story()
        );
        assert!(known <= 1 || unknown > 0, "sent twice without a reason: {}", story());
        match &entry.standing {
            Standing::Sent { .. } => assert!(sent_of > 0, "{}", story()),
            Standing::Skipped { .. } | Standing::Failed { .. } if entry.in_doubt => {
                assert!(unknown > 0, "{}", story())
            }
            Standing::Skipped { .. } | Standing::Failed { .. } => assert_eq!(sent_of, 0, "{}", story()),
            Standing::Started { .. } => {
                assert!(went_wrong, "an outcome is unknown although nothing went wrong: {}", story())
            }
            Standing::Due { .. } => panic!("never started: {}", story()),
            Standing::Bounced { .. } => panic!("no bounce was reported: {}", story()),
        }
        if !went_wrong {
            assert!(sent_of <= 1 && unknown == 0, "{}", story());
        }
    }
    for sent in &went {
        assert!(
            agenda.messages.entry(sent.parse().unwrap()).is_some(),
            "a message without a cause: {}",
            story()
        );
    }
}

/// Asserts that each message was started for a phone number while the visit had one, and otherwise for an
/// address.
pub(super) fn assert_channels(commits: &[Commit], mut phone: bool) {
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

pub(super) fn agenda(commits: &[Commit]) -> Agenda {
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

/// Returns the message events with their times.
pub(super) fn message_events(commits: &[Commit]) -> Vec<(Time, message::Event)> {
    let of_visit = |event| if let waitee::Event::Notification(event) = event { Some(event) } else { None };
    let of_mail = |event| if let mail::Event::Message(event) = event { Some(event) } else { None };
    let of = |commit: &Commit| match commit.facts::<waitee::Event>() {
        Ok(facts) => facts.into_iter().filter_map(|fact| of_visit(fact.event)).collect::<Vec<_>>(),
        Err(_) => mail_facts(commit).into_iter().filter_map(|fact| of_mail(fact.event)).collect(),
    };
    commits.iter().flat_map(|commit| of(commit).into_iter().map(|event| (commit.at, event))).collect()
}
