//! Orders the due work that one look of the tick has found, so that accounts take turns.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use infra::queue::FairShare;
use schema::{Time, UserId};

use crate::intent::Intent;

/// Intents found due, each with its place in its account's line.
pub(super) struct Turns {
    fair: FairShare,
    /// The most intents of one account.
    share: usize,
    now: Time,
    accounts: HashMap<UserId, Account>,
    found: Vec<Found>,
    cut_short: bool,
}

#[derive(Default)]
struct Account {
    intents: usize,
    boards: usize,
}

struct Found {
    /// How many intents of its account come before.
    place: usize,
    delay: Duration,
    intent: Intent,
}

impl Turns {
    pub(super) fn new(fair: FairShare, share: usize, now: Time) -> Self {
        Self { fair, share, now, accounts: HashMap::new(), found: Vec::new(), cut_short: false }
    }

    /// Adds an intent, unless its account has its share already.
    pub(super) fn add(&mut self, account: UserId, intent: Intent) {
        let of_account = self.accounts.entry(account).or_default();
        let delay = if of_account.intents < self.share { self.fair.delay(account, self.now) } else { None };
        let Some(delay) = delay else {
            self.cut_short = true;
            return;
        };
        self.found.push(Found { place: of_account.intents, delay, intent });
        of_account.intents += 1;
    }

    /// Whether another board of a deleted list is read for this account, of `most`.
    pub(super) fn looks_at_board(&mut self, account: UserId, most: usize) -> bool {
        let of_account = self.accounts.entry(account).or_default();
        of_account.boards += 1;
        of_account.boards <= most
    }

    /// Something was left to the next look.
    pub(super) fn cut_short(&mut self) {
        self.cut_short = true;
    }

    /// The first of each account, then the second of each, and so on, up to `most`: grouped by how long they
    /// are held back, in whole seconds. Whether anything was left to the next look.
    pub(super) fn take(mut self, most: usize) -> (Vec<(Duration, Vec<Intent>)>, bool) {
        self.found.sort_by_key(|found| found.place);
        let cut_short = self.cut_short || self.found.len() > most;
        self.found.truncate(most);
        let mut rounds: BTreeMap<Duration, Vec<Intent>> = BTreeMap::new();
        for Found { delay, intent, .. } in self.found {
            let seconds = delay.as_millis().div_ceil(1_000);
            rounds
                .entry(Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)))
                .or_default()
                .push(intent);
        }
        (rounds.into_iter().collect(), cut_short)
    }
}

#[cfg(test)]
mod tests {
    use schema::WaiteeId;
    use uuid::Uuid;

    use super::*;

    fn account(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    fn intent(number: u128) -> Intent {
        Intent::Attend { stream: WaiteeId(Uuid::from_u128(number)).into() }
    }

    fn turns(share: usize) -> Turns {
        Turns::new(FairShare::new(10), share, Time::from_millis(0))
    }

    #[test]
    fn accounts_take_turns_however_much_of_one_comes_first() {
        let mut turns = turns(usize::MAX);
        for number in 0..4 {
            turns.add(account(1), intent(number));
        }
        turns.add(account(2), intent(10));
        turns.add(account(3), intent(20));
        turns.add(account(2), intent(11));
        let (rounds, cut_short) = turns.take(100);
        let order = [0, 10, 20, 1, 11, 2, 3].map(intent).to_vec();
        assert_eq!((rounds, cut_short), (vec![(Duration::ZERO, order)], false));
    }

    #[test]
    fn what_is_beyond_an_accounts_share_is_left_and_spaced_before() {
        let mut crowded = turns(2);
        for number in 0..3 {
            crowded.add(account(1), intent(number));
        }
        crowded.add(account(2), intent(10));
        assert_eq!(crowded.take(100), (vec![(Duration::ZERO, [0, 10, 1].map(intent).to_vec())], true));

        let mut flooded = turns(usize::MAX);
        for number in 0..1_000 {
            flooded.add(account(1), intent(number));
        }
        flooded.add(account(2), intent(5_000));
        let (rounds, cut_short) = flooded.take(100_000);
        assert!(cut_short);
        assert_eq!(rounds[0].1.len(), 21, "a burst, and the other account's");
        assert_eq!(rounds.iter().map(|(_, intents)| intents.len()).sum::<usize>(), 171);
        assert_eq!(rounds.last().map(|(delay, _)| *delay), Some(Duration::from_secs(60)));
    }

    #[test]
    fn a_look_that_finds_too_much_takes_the_first_of_every_account() {
        let mut turns = turns(usize::MAX);
        for number in 0..30 {
            turns.add(account(number % 3), intent(number));
        }
        let (rounds, cut_short) = turns.take(3);
        assert_eq!((rounds, cut_short), (vec![(Duration::ZERO, [0, 1, 2].map(intent).to_vec())], true));
    }
}
