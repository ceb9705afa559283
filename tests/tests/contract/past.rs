//! Reads of a stream as of an earlier time.

use schema::{Commit, commit::Tail};
use waitlist_tests::{
    past::{author, called, fresh_stream, joined, next},
    stage::Stage,
};

#[tokio::test]
async fn the_last_commit_up_to_a_time_is_found_in_streams_of_any_length() {
    let stage = Stage::new().await;
    for length in [1, 2, 3, 4, 9, 24] {
        let stream = fresh_stream();
        let mut commits = vec![next(stream, &Tail::EMPTY, &author(), &[joined()])];
        while commits.len() < length {
            let events = vec![called(); 1 + commits.len() * 5 % 4];
            commits.push(next(stream, &commits[commits.len() - 1].tail(), &author(), &events));
        }
        stage.put_past(&commits).await;
        let (first, last) = (commits[0].at.millis(), commits[length - 1].at.millis());
        for ms in first - 1..=last + 1 {
            let at = schema::Time::from_millis(ms);
            let until: Vec<&Commit> = commits.iter().filter(|commit| commit.at <= at).collect();
            let mut expected: Vec<&Commit> = until.first().copied().into_iter().collect();
            expected.extend(until.last().filter(|_| until.len() > 1));
            let found = stage.backend.log.first_and_last_until(stream, at).await.unwrap();
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{length} commits, as of {at}");
        }
    }
    let empty = stage.backend.log.first_and_last_until(fresh_stream(), stage.backend.clock.now()).await;
    assert_eq!(empty.unwrap(), []);
}
