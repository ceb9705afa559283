//! The parameters of a page of an account's history, and the events that fit them.

use infra::{log::Entry, rows::Order};
use schema::{
    Actor, Commit, Problem, StreamId, Time, WaitlistId, body::event_types, check, commit::correlation_of,
    id::Category, parameter::OF_AUDIT,
};

use super::range::{Position, Range};
use crate::cursor::Kind;

/// The names of the parameters, in the order in which [`Query::parse`] takes their values.
pub const PARAMETERS: [&str; OF_AUDIT.len()] = {
    let mut names = [""; OF_AUDIT.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = OF_AUDIT[place].name();
        place += 1;
    }
    names
};

/// The page that is asked for.
#[derive(Clone, Debug)]
pub struct Query {
    from: Option<Time>,
    to: Option<Time>,
    filter: Filter,
    pub(super) order: Order,
    after: Option<Position>,
    pub(super) limit: usize,
}

/// The conditions that each shown event meets.
#[derive(Clone, Debug, Default)]
struct Filter {
    actor: Option<Actor>,
    action: Option<Action>,
    target: Option<StreamId>,
    waitlist: Option<WaitlistId>,
    correlation: Option<String>,
}

#[derive(Clone, Debug)]
enum Action {
    Type(String),
    /// All events of a category.
    Any(Category),
}

impl Query {
    /// Reads the values of [`PARAMETERS`].
    ///
    /// # Errors
    /// A value does not parse: 400 that names its parameter.
    pub fn parse(values: [Option<String>; PARAMETERS.len()]) -> Result<Self, Problem> {
        let [from, to, actor, action, target, waitlist, correlation, order, cursor, limit] = values;
        let (from, to) = (time("from", from)?, time("to", to)?);
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(Problem::invalid_parameter("to", "must be later than from"));
        }
        let page = Kind::Audit.page(limit, cursor)?;
        let after = page.after.map(|place| place.parse::<Position>()).transpose().map_err(|_| {
            Problem::invalid_parameter("cursor", "must be the next of an earlier page of this history")
        })?;
        let filter = Filter {
            actor: read(
                "actor",
                actor,
                "must be user:<id>, guest:<id of the visit> or system:<component>",
                |text| text.parse().ok(),
            )?,
            action: read(
                "action",
                action,
                "must be an event type such as waitee.removed, or waitee.*",
                self::action,
            )?,
            target: read(
                "target",
                target,
                "must be a stream: waitee-<id>, waitlist-<id>, user-<id>, session-<id>, mail-<id> or access-<id>",
                |text| text.parse().ok(),
            )?,
            waitlist: read("waitlist", waitlist, "must be the id of a list", |text| text.parse().ok())?,
            correlation: read(
                "correlation",
                correlation,
                &format!("must be a request id of 1 to {} visible characters", check::CORRELATION_CHARS_MAX),
                |text| {
                    let is_id = (1..=check::CORRELATION_CHARS_MAX).contains(&text.len())
                        && text.bytes().all(|b| b.is_ascii_graphic());
                    is_id.then(|| correlation_of(text).to_owned())
                },
            )?,
        };
        let order = read("order", order, "must be asc or desc", |text| match text {
            "asc" => Some(Order::Ascending),
            "desc" => Some(Order::Descending),
            _ => None,
        })?;
        Ok(Self { from, to, filter, order: order.unwrap_or(Order::Descending), after, limit: page.limit })
    }

    /// The same events, at most `limit` on a page.
    pub(super) fn limited(&self, limit: usize) -> Self {
        Self { limit, ..self.clone() }
    }

    /// The events from `from` up to `to` that follow the earlier page.
    pub(super) fn range(&self) -> Range {
        let within = Range {
            low: self.from.map_or(Range::ALL.low, Position::before),
            high: self.to.map_or(Range::ALL.high, Position::before),
        };
        self.after.map_or(within, |after| within.beyond(after, self.order))
    }

    /// The list whose visits are shown.
    pub(super) fn waitlist(&self) -> Option<WaitlistId> {
        self.filter.waitlist
    }

    /// Whether a filter needs the commit itself, because its entry in the index lacks the attribute.
    pub(super) fn needs_commits(&self) -> bool {
        self.filter.correlation.is_some()
    }

    /// Whether the entry of a commit passes the filters that it can answer. The caller compares the list of a visit.
    pub(super) fn may_fit(&self, entry: &Entry) -> bool {
        let Filter { actor, action, target, waitlist, correlation: _ } = &self.filter;
        actor.is_none_or(|actor| entry.actor == actor)
            && action.as_ref().is_none_or(|action| entry.types.iter().any(|kind| action.covers(kind)))
            && target.is_none_or(|target| entry.stream == target)
            && waitlist
                .is_none_or(|list| entry.stream == list.into() || entry.stream.category == Category::Waitee)
    }

    /// Whether the commit passes the filters that its entry cannot answer.
    pub(super) fn fits(&self, commit: &Commit) -> bool {
        self.filter.correlation.as_ref().is_none_or(|correlation| commit.correlation == *correlation)
    }

    /// Whether an event of this type fits.
    pub(super) fn shows(&self, kind: &str) -> bool {
        self.filter.action.as_ref().is_none_or(|action| action.covers(kind))
    }
}

impl Action {
    fn covers(&self, kind: &str) -> bool {
        match self {
            Self::Type(wanted) => kind == wanted,
            Self::Any(category) => {
                kind.split_once('.').is_some_and(|(prefix, _)| prefix == category.as_str())
            }
        }
    }
}

fn action(text: &str) -> Option<Action> {
    if let Some(category) = text.strip_suffix(".*") {
        let known = Category::ALL.into_iter().find(|known| known.as_str() == category);
        return known.map(Action::Any);
    }
    event_types().contains(&text).then(|| Action::Type(text.to_owned()))
}

fn time(name: &str, value: Option<String>) -> Result<Option<Time>, Problem> {
    read(
        name,
        value,
        "must be an RFC 3339 time such as 2026-11-20T19:42:00Z, with any + written as %2B",
        |text| text.parse().ok(),
    )
}

/// Reads a value that may be absent.
fn read<T>(
    name: &str,
    value: Option<String>,
    wanted: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    value.map(|text| parse(&text).ok_or_else(|| Problem::invalid_parameter(name, wanted))).transpose()
}
