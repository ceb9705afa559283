//! Orders the work that one look of the tick has found, so that accounts take turns.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use infra::queue::FairShare;
use schema::{Time, UserId};

use crate::intent::Intent;

/// The intents of one look, each with its place among those of its account.
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
    /// The number of intents of its account before it.
    place: usize,
    delay: Duration,
    intent: Intent,
}

/// Intents in the order in which they are queued.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) rounds: Vec<Round>,
    /// Whether some of the due work was left to the next look.
    pub(super) cut_short: bool,
}

/// Intents that are queued with the same delay.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) delay: Duration,
    pub(super) intents: Vec<Intent>,
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

    /// Whether another board of a deleted list may be read for this account; at most `most` are.
    pub(super) fn may_read_board(&mut self, account: UserId, most: usize) -> bool {
        let of_account = self.accounts.entry(account).or_default();
        of_account.boards += 1;
        of_account.boards <= most
    }

    /// Records that some of the due work is left to the next look.
    pub(super) fn cut_short(&mut self) {
        self.cut_short = true;
    }

    /// The first intent of each account, then the second of each, and so on, up to `most`, grouped by their
    /// delays in whole seconds.
    pub(super) fn take(mut self, most: usize) -> Taken {
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
        let rounds = rounds.into_iter().map(|(delay, intents)| Round { delay, intents }).collect();
        Taken { rounds, cut_short }
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

    /// All of these intents at once.
    fn at_once<const N: usize>(numbers: [u128; N]) -> Vec<Round> {
        vec![Round { delay: Duration::ZERO, intents: numbers.map(intent).to_vec() }]
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
        let rounds = at_once([0, 10, 20, 1, 11, 2, 3]);
        assert_eq!(turns.take(100), Taken { rounds, cut_short: false });
    }

    #[test]
    fn intents_of_an_account_are_spaced_and_those_beyond_its_share_are_left() {
        let mut crowded = turns(2);
        for number in 0..3 {
            crowded.add(account(1), intent(number));
        }
        crowded.add(account(2), intent(10));
        assert_eq!(crowded.take(100), Taken { rounds: at_once([0, 10, 1]), cut_short: true });

        let mut flooded = turns(usize::MAX);
        for number in 0..1_000 {
            flooded.add(account(1), intent(number));
        }
        flooded.add(account(2), intent(5_000));
        let Taken { rounds, cut_short } = flooded.take(100_000);
        assert!(cut_short);
        assert_eq!(rounds[0].intents.len(), 21, "a burst of one account, and the other account's intent");
        assert_eq!(rounds.iter().map(|round| round.intents.len()).sum::<usize>(), 171);
        assert_eq!(rounds.last().map(|round| round.delay), Some(Duration::from_secs(60)));
    }

    #[test]
    fn a_look_that_finds_too_much_takes_the_first_of_every_account() {
        let mut turns = turns(usize::MAX);
        for number in 0..30 {
            turns.add(account(number % 3), intent(number));
        }
        assert_eq!(turns.take(3), Taken { rounds: at_once([0, 1, 2]), cut_short: true });
    }
}
