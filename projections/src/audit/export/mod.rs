//! Exports of an account's history: its events in ascending order as files, in parts of bounded size.

mod file;
mod part;
mod spreadsheet;

use infra::{
    Backend, Failure,
    http::{Call, File as Download, Reply},
};
use schema::{
    Problem, Time, UserId,
    parameter::{OF_EXPORT, Parameter},
    problem::Place,
    reading::HistoryExported,
    table::UserRow,
};

use self::file::Event;
pub use self::{
    file::{File, Format},
    part::Part,
};
use super::{
    bounds::oldest,
    query::Query,
    range::{Position, Range},
    written,
};
use crate::{complete::complete_until, cursor::Kind, fresh, reading, users::Users};

/// The most bytes of a part.
pub const PART_BYTES_MAX: usize = 4_000_000;

/// An export: the events from a time, or those after an earlier part, up to another time.
#[derive(Clone, Debug)]
pub struct Export {
    pub format: Format,
    query: Query,
}

/// The bounds of a part that is about to be read.
#[derive(Debug)]
pub struct Plan {
    account: UserId,
    row: Option<UserRow>,
    range: Range,
}

pub(crate) async fn of_account(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let export = Export::parse(call.query(OF_EXPORT.map(Parameter::name))?)?;
    // The export ends before the writes that tokens usually name, but a wrong token is refused as by other reads.
    written(backend, call.owner, &call.sync_tokens()?).await?;
    let plan = Plan::of(backend, call.owner, &export).await?;
    let (format, from, to) = (export.format, plan.from(), plan.to());
    let exported = HistoryExported { format: format.as_str().to_owned(), from, to };
    reading::record_export(backend, call, exported).await?;
    let part = plan.read(backend, &export, PART_BYTES_MAX).await?;
    let name = format!("history-{}-{}.{}", compact(from), compact(part.end), format.as_str());
    let next =
        part.next.map(|next| format!("{}?format={}&to={to}&cursor={next}", call.entry.path, format.as_str()));
    let media_type = format.media_type();
    Ok(Reply::file(Download { name, media_type, bytes: part.file.into_bytes().into() }, next))
}

impl Export {
    /// Reads the values of [`OF_EXPORT`].
    ///
    /// # Errors
    /// A value does not parse: 400 that names its parameter.
    pub fn parse([format, from, to, cursor]: [Option<String>; OF_EXPORT.len()]) -> Result<Self, Problem> {
        let format = match format.as_deref() {
            None => Format::Ndjson,
            Some(text) => Format::ALL
                .into_iter()
                .find(|format| format.as_str() == text)
                .ok_or_else(|| Problem::invalid_parameter("format", "must be ndjson or csv"))?,
        };
        let [actor, action, target, waitlist, correlation, limit] = [const { None }; 6];
        let order = Some("asc".to_owned());
        let query =
            Query::parse([from, to, actor, action, target, waitlist, correlation, order, cursor, limit]);
        Ok(Self { format, query: query.map_err(of_export)? })
    }
}

impl Plan {
    /// Costs 1 read unit. The part ends before the time up to which the history is complete.
    ///
    /// # Errors
    /// The account's row cannot be read.
    pub async fn of(backend: &Backend, account: UserId, export: &Export) -> Result<Self, Failure> {
        let complete_until = complete_until(backend.clock.now());
        let row = fresh::row::<Users>(backend, account.0, 0).await?;
        let whole = Range { low: oldest(row.as_ref()), high: Position::before(complete_until) };
        Ok(Self { account, range: export.query.range().and(whole), row })
    }

    /// The part holds no event before this time.
    #[must_use]
    pub fn from(&self) -> Time {
        self.range.low.min(self.range.high).at()
    }

    /// The part holds no event from this time on.
    #[must_use]
    pub fn to(&self) -> Time {
        self.range.high.at()
    }

    /// Reads the part, of at most `bytes_max` bytes. The reading is recorded already.
    ///
    /// # Errors
    /// A table cannot be read.
    pub async fn read(self, backend: &Backend, export: &Export, bytes_max: usize) -> Result<Part, Failure> {
        let Self { account, row, range } = self;
        part::read(backend, account, row.as_ref(), export, range, bytes_max).await
    }
}

/// A page of the history has no part before it, so its problem with a cursor is told in other words.
fn of_export(refused: Problem) -> Problem {
    let cursor = Place::Parameter(Parameter::Cursor.name().to_owned());
    match refused.errors.first() {
        Some(fault) if fault.at == cursor => {
            Problem::invalid_parameter("cursor", "must be the cursor in the Link of an earlier part")
        }
        Some(_) | None => refused,
    }
}

impl Format {
    /// The cursor of the part that follows the event in this line of a file. `None` for another line.
    #[must_use]
    pub fn cursor_after(self, line: &str) -> Option<String> {
        let Event { commit, seq } = self.event(line)?;
        Some(cursor(Position { commit, event: seq }))
    }
}

/// The cursor of the part that begins after a place.
fn cursor(place: Position) -> String {
    Kind::Audit.cursor(&place.to_string())
}

/// A time without characters that file systems refuse.
fn compact(time: Time) -> String {
    time.to_string().replace(['-', ':'], "")
}
