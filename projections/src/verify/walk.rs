//! The streams of an account or a list, one after the other.

use std::collections::VecDeque;

use chrono::{Days, NaiveDate};
use infra::{
    Backend, Failure,
    rows::{Order, Range, Selection},
};
use schema::{
    UserId, WaitlistId,
    table::{DAY, DayEntry, DayKeys, WAITEES},
};

use super::{
    Scope,
    months::{self, Months},
    place::{At, Step},
};
use crate::{shown::readable, waitlists::Waitlists};

/// The most days of a list that a page looks at.
const DAYS_MAX: u32 = 100;
/// The visits of a day that are read at once.
const VISITS_AT_ONCE: usize = 100;

/// Finds the streams of a scope, from a place on, as far as one page may look.
pub(super) struct Walk {
    account: UserId,
    scope: Scope,
    /// The streams that were found and not yet handed out.
    found: VecDeque<Step>,
    /// The place after the streams that were handed out.
    handed: Option<At>,
    /// The place from which more streams are looked for. `None` when there are no more.
    at: Option<At>,
    days: u32,
    months: Months,
}

impl Walk {
    pub(super) fn new(account: UserId, scope: Scope, at: At) -> Self {
        let at = Some(at).filter(|at| *at != At::End);
        Self { account, scope, found: VecDeque::new(), handed: None, at, days: 0, months: Months::default() }
    }

    /// Up to `most` further streams. Empty when there are no more, or this page has looked far enough.
    pub(super) async fn next(&mut self, backend: &Backend, most: usize) -> Result<Vec<Step>, Failure> {
        while self.found.is_empty() && self.days < DAYS_MAX && self.months.may_look() {
            let Some(at) = self.at.take() else { break };
            self.at = self.look(backend, at).await?;
        }
        let steps: Vec<Step> = self.found.drain(..most.min(self.found.len())).collect();
        self.handed = steps.last().map(|step| step.after.clone());
        Ok(steps)
    }

    /// The place where the next page begins. `None` if nothing is left.
    pub(super) fn rest(self) -> Option<At> {
        if self.found.is_empty() { self.at } else { self.handed }
    }

    /// Looks for streams at a place. Returns the next place to look.
    async fn look(&mut self, backend: &Backend, at: At) -> Result<Option<At>, Failure> {
        match (self.scope, at) {
            (Scope::Stream(stream), _) => {
                self.found.push_back(Step { stream, after: At::End });
                Ok(None)
            }
            (Scope::List(list), At::Day(day, arrival)) => self.day(backend, list, day, arrival).await,
            (Scope::List(list), _) => {
                let first = first_day(backend, list).await?;
                let after = At::Day(first, String::new());
                self.found.push_back(Step { stream: list.into(), after: after.clone() });
                Ok(Some(after))
            }
            (Scope::Account, At::Month(month, commit)) => {
                let looked = self.months.look(backend, self.account, month, &commit, &mut self.found).await?;
                Ok(looked.map(|(month, commit)| At::Month(month, commit)))
            }
            (Scope::Account, _) => {
                let month = months::of_clock(backend);
                Ok(month.map(|month| At::Month(month, String::new())))
            }
        }
    }

    /// Finds the visits of a business day of a list.
    async fn day(
        &mut self,
        backend: &Backend,
        list: WaitlistId,
        day: NaiveDate,
        arrival: String,
    ) -> Result<Option<At>, Failure> {
        if day > last_day(backend) {
            return Ok(None);
        }
        self.days += 1;
        let selection = Selection {
            index: DAY,
            partition: &DayKeys::partition(list, day),
            range: Range::after(Some(arrival.as_str()).filter(|arrival| !arrival.is_empty())),
            order: Order::Ascending,
        };
        let page = backend.rows.entries::<DayEntry>(WAITEES, selection, VISITS_AT_ONCE, None).await?;
        let step =
            |entry: &DayEntry| Step { stream: entry.id.into(), after: At::Day(day, entry.arrival.clone()) };
        self.found.extend(page.rows.iter().map(step));
        Ok(match (page.next, page.rows.last()) {
            (Some(_), Some(last)) => Some(At::Day(day, last.arrival.clone())),
            _ => day.checked_add_days(Days::new(1)).map(|day| At::Day(day, String::new())),
        })
    }
}

/// The first business day that a list can have visits on.
async fn first_day(backend: &Backend, list: WaitlistId) -> Result<NaiveDate, Failure> {
    let created = match readable::<Waitlists>(backend, list.0).await? {
        Some(row) => Some(row.list.created_at),
        None => {
            let first = backend.log.raw_after(list.into(), Some(0), 1).await?;
            first.commits.into_iter().find_map(|raw| Some(raw.commit?.at))
        }
    };
    let created = created.unwrap_or_else(|| backend.clock.now());
    Ok(DayKeys::days(created, created).next().unwrap_or_else(|| created.date()))
}

/// The last business day that a list can have visits on by now.
fn last_day(backend: &Backend) -> NaiveDate {
    let now = backend.clock.now();
    DayKeys::days(now, now).last().unwrap_or_else(|| now.date())
}
