//! Concurrent writers of one stream: each number is assigned once, and each acknowledged commit is in the
//! log.

use std::collections::BTreeSet;

use futures::future::join_all;
use infra::{Failure, log::Appended};
use schema::commit::Tail;
use waitlist_tests::{
    past::{Seen, author, called, fresh_stream, joined, key, next, sending, walk},
    stage::Stage,
};

const RACES: usize = 1_000;

#[tokio::test]
async fn exactly_one_of_two_concurrent_writers_wins_each_of_a_thousand_races() {
    let stage = Stage::new().await;
    let (one, other) = (&stage.backend.log, &stage.another().log);
    let stream = fresh_stream();
    let mut tail = Tail::EMPTY;
    let mut acknowledged = Vec::with_capacity(RACES);
    for race in 0..RACES {
        let [a, b] =
            [2 * race, 2 * race + 1].map(|command| next(stream, &tail, &sending(command), &[called()]));
        let (of_a, of_b) = tokio::join!(
            one.append(std::slice::from_ref(&a), vec![]),
            other.append(std::slice::from_ref(&b), vec![])
        );
        let winner = match (of_a.unwrap(), of_b.unwrap()) {
            (Appended::Landed, Appended::Conflict) => a,
            (Appended::Conflict, Appended::Landed) => b,
            both => panic!("race {race}: {both:?}"),
        };
        tail = winner.tail();
        acknowledged.push(winner);
    }
    let stored = stage.commits(stream).await;
    assert_eq!(walk(&stored), Ok(tail));
    assert!(stored == acknowledged, "the log holds the acknowledged commits, each once and without gaps");
}

#[tokio::test]
async fn concurrent_commands_are_applied_once_or_refused_with_a_conflict() {
    const WRITERS: usize = 6;
    const COMMANDS: usize = 12; // of each writer, one after the other
    let stage = Stage::new().await;
    let stream = fresh_stream();
    let begin = |_: Seen, _| async { Ok(vec![joined()]) };
    stage.backend.log.transact(stream, &author(), None, begin).await.unwrap();

    let writers = (0..WRITERS).map(|writer| {
        let log = &stage.backend.log;
        async move {
            let mut acknowledged = Vec::new();
            for command in (0..COMMANDS).map(|command| writer * COMMANDS + command) {
                match log
                    .transact(stream, &sending(command), None, |_: Seen, _| async {
                        Ok(vec![called(), called()])
                    })
                    .await
                {
                    Ok(outcome) => acknowledged.push((command, outcome)),
                    Err(Failure::Conflict) => {}
                    Err(broken) => panic!("{}", broken.chain()),
                }
            }
            acknowledged
        }
    });
    let acknowledged: Vec<_> = join_all(writers).await.into_iter().flatten().collect();

    let stored = stage.commits(stream).await;
    assert_eq!(walk(&stored).unwrap().seq as usize, 1 + 2 * acknowledged.len());
    for (command, outcome) in &acknowledged {
        let own: Vec<_> = stored.iter().filter(|commit| commit.command == key(*command)).collect();
        assert!(matches!(own[..], [own] if own.last == outcome.seq), "command {command}: {own:?}");
        assert!(
            outcome.state.0.iter().copied().eq(1..=outcome.seq),
            "the command saw all events before its own"
        );
    }
    let numbers: BTreeSet<u64> = acknowledged.iter().map(|(_, outcome)| outcome.seq).collect();
    assert_eq!(numbers.len(), acknowledged.len(), "no number was assigned twice");
}

#[tokio::test]
async fn a_writer_that_loses_every_race_gets_a_conflict_and_stores_nothing() {
    let stage = Stage::new().await;
    let log = &stage.backend.log;
    let stream = fresh_stream();
    let decide = |_: Seen, _| async {
        let rival = |_: Seen, _| async { Ok(vec![called()]) };
        log.transact(stream, &author(), None, rival).await?; // commits before this command each time
        Ok(vec![called()])
    };
    let lost = log.transact(stream, &sending(0), None, decide).await.unwrap_err();
    assert!(matches!(lost, Failure::Conflict), "{}", lost.chain());
    let stored = stage.commits(stream).await;
    assert_eq!(stored.len(), 5, "one commit of the rival for each of five attempts");
    assert!(stored.iter().all(|commit| commit.command != key(0)));
}
