//! Races: however many write to one stream, every number is given once and nothing that was acknowledged is missing.

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
async fn of_two_writers_a_thousand_times_exactly_one_wins() {
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
    assert!(stored == acknowledged, "what was acknowledged is what is there, each once, without a gap");
}

#[tokio::test]
async fn commands_that_race_are_each_applied_once_or_told_that_they_lost() {
    const WRITERS: usize = 6;
    const COMMANDS: usize = 12; // of each writer, one behind the other
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
        assert!(outcome.state.0.iter().copied().eq(1..=outcome.seq), "it saw everything before it");
    }
    let numbers: BTreeSet<u64> = acknowledged.iter().map(|(_, outcome)| outcome.seq).collect();
    assert_eq!(numbers.len(), acknowledged.len(), "no two were given the same number");
}

#[tokio::test]
async fn a_writer_that_loses_every_race_is_told_and_leaves_nothing() {
    let stage = Stage::new().await;
    let log = &stage.backend.log;
    let stream = fresh_stream();
    let decide = |_: Seen, _| async {
        let rival = |_: Seen, _| async { Ok(vec![called()]) };
        log.transact(stream, &author(), None, rival).await?; // always a step ahead
        Ok(vec![called()])
    };
    let lost = log.transact(stream, &sending(0), None, decide).await.unwrap_err();
    assert!(matches!(lost, Failure::Conflict), "{}", lost.chain());
    let stored = stage.commits(stream).await;
    assert_eq!(stored.len(), 5, "five attempts, each of which a rival beat");
    assert!(stored.iter().all(|commit| commit.command != key(0)));
}
