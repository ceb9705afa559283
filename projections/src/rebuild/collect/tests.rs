use proptest::prelude::*;
use schema::{
    Actor, UserId, WaiteeId,
    commit::{Author, Tail},
    waitee::{self, Event},
};
use uuid::Uuid;

use super::*;

/// A stream of `commits` commits of one event each.
fn stream(number: u128, commits: usize) -> Vec<Stored> {
    let id = WaiteeId(Uuid::from_u128(number));
    let tenant = UserId(Uuid::from_u128(9));
    let author = Author {
        tenant,
        actor: Actor::User(tenant),
        command: None,
        correlation: String::new(),
        causation: None,
    };
    let mut tail = Tail::EMPTY;
    let mut items = Vec::new();
    for _ in 0..commits {
        let at = tail.now(schema::Time::from_millis(0));
        let event = Event::Seated(waitee::Why::default());
        let commit = Commit::new(id.into(), &tail, at, Uuid::nil(), &author, &[event]).unwrap();
        tail = commit.tail();
        items.push(Stored {
            place: Place { stream: commit.stream.to_string(), seq: commit.seq.to_string() },
            of: Some(InStream { stream: commit.stream, commit: Some(commit) }),
        });
    }
    items
}

fn other(number: usize) -> Stored {
    Stored { place: Place { stream: format!("other-{number}"), seq: "1".into() }, of: None }
}

fn collected(items: Vec<Stored>) -> Vec<Run> {
    let mut collector = Collector::after(None);
    let mut runs: Vec<Run> = items.into_iter().filter_map(|item| collector.add(item)).collect();
    runs.extend(collector.end());
    runs
}

#[test]
fn a_stream_whose_items_are_out_of_order_is_read_from_the_log() {
    let mut items = stream(1, 3);
    items.swap(1, 2);
    assert_eq!(collected(items)[0].commits, None);
    let parts = [&stream(1, 3)[..2], &stream(2, 1), &stream(1, 3)[2..]].concat();
    let lengths: Vec<_> = collected(parts).iter().map(|run| run.commits.as_ref().map(Vec::len)).collect();
    assert_eq!(lengths, [Some(2), Some(1), None]);
}

proptest! {
    #[test]
    fn a_scan_that_is_cut_anywhere_and_continued_collects_each_stream_whole(
        lengths in prop::collection::vec(0..4_usize, 1..8),
        cuts in prop::collection::vec(1..6_usize, 0..12),
    ) {
        let items: Vec<Stored> = lengths
            .iter()
            .enumerate()
            .flat_map(|(n, length)| if *length == 0 { vec![other(n)] } else { stream(n as u128, *length) })
            .collect();
        let wanted: Vec<_> = collected(items.clone()).into_iter().map(|run| (run.stream, run.commits)).collect();
        let (mut found, mut counted, mut at) = (Vec::new(), 0, 0);
        let mut cuts = cuts.into_iter();
        while at < items.len() {
            let from = at.checked_sub(1).map(|before| items[before].place.clone());
            let mut collector = Collector::after(from.clone());
            let end = cuts.next().map_or(items.len(), |some| (at + some).min(items.len()));
            found.extend(items[at..end].iter().cloned().filter_map(|item| collector.add(item)));
            let next = match collector.unfinished() {
                _ if end == items.len() => {
                    found.extend(collector.end());
                    collector.reached().clone()
                }
                None => collector.reached().clone(),
                Some(run) if run.start.after != from => run.start.clone(),
                Some(_) => Start { after: None, items: 0 }, // nothing but this run: a longer message is needed
            };
            counted += next.items;
            at += next.items as usize;
        }
        let found: Vec<_> = found.into_iter().map(|run| (run.stream, run.commits)).collect();
        prop_assert_eq!(found, wanted);
        prop_assert_eq!(counted as usize, items.len());
    }
}
