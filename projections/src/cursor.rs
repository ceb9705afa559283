//! Cursors of pages. A cursor holds only the place where a page ended; account and list come from the
//! authorized path.

use data_encoding::BASE64URL_NOPAD;
use schema::{
    Problem,
    body::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, Page},
    check::whole_number,
};

/// The longest place in a cursor, in bytes: a rank with an id, or a day with an arrival and a place inside a
/// stream. DynamoDB refuses sort keys over 1,024.
pub(crate) const PLACE_BYTES_MAX: usize = 256;

/// The kind of a page. A cursor continues only pages of its own kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The lists of an account.
    Lists,
    Board,
    /// A board as of an earlier time.
    PastBoard,
    /// The parties of a day.
    Day,
    /// The history of a stream.
    History,
    /// The history of an account.
    Audit,
    /// The verification of an account, a list or a stream.
    Verify,
    Projections,
    /// The rebuilds of a projection.
    Rebuilds,
    DeadLetters,
}

/// The page that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    pub limit: usize,
    /// The place after which the page starts.
    pub after: Option<String>,
}

impl PageRequest {
    /// Whether an entry at `place` is on the page or after it, but not after `end`, up to which the index
    /// was read.
    #[must_use]
    pub fn holds(&self, place: &str, end: Option<&str>) -> bool {
        self.after.as_deref().is_none_or(|after| place > after) && end.is_none_or(|end| place <= end)
    }
}

impl Kind {
    fn letter(self) -> &'static str {
        match self {
            Self::Lists => "l",
            Self::Board => "b",
            Self::PastBoard => "p",
            Self::Day => "d",
            Self::History => "h",
            Self::Audit => "a",
            Self::Verify => "v",
            Self::Projections => "n",
            Self::Rebuilds => "r",
            Self::DeadLetters => "q",
        }
    }

    /// The cursor of a page that ended at this place.
    #[must_use]
    pub fn cursor(self, place: &str) -> String {
        BASE64URL_NOPAD.encode(format!("{}{place}", self.letter()).as_bytes())
    }

    /// Reads the parameters `limit` and `cursor`.
    ///
    /// # Errors
    /// One of them does not parse.
    pub fn page(self, limit: Option<String>, cursor: Option<String>) -> Result<PageRequest, Problem> {
        let limit = match limit {
            None => PAGE_ITEMS_DEFAULT,
            Some(text) => whole_number(&text)
                .and_then(|limit| usize::try_from(limit).ok())
                .filter(|limit| (1..=PAGE_ITEMS_MAX).contains(limit))
                .ok_or_else(|| {
                    Problem::invalid_parameter(
                        "limit",
                        format!("must be a whole number from 1 to {PAGE_ITEMS_MAX}"),
                    )
                })?,
        };
        Ok(PageRequest { limit, after: self.after(cursor)? })
    }

    /// Reads the parameter `cursor`.
    ///
    /// # Errors
    /// It does not parse.
    pub fn after(self, cursor: Option<String>) -> Result<Option<String>, Problem> {
        let place = |text: String| self.place(&text).ok_or_else(foreign);
        cursor.map(place).transpose()
    }

    fn place(self, cursor: &str) -> Option<String> {
        let text = String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?;
        let place = text.strip_prefix(self.letter())?;
        (!place.is_empty() && place.len() <= PLACE_BYTES_MAX && place.is_ascii()).then(|| place.to_owned())
    }
}

/// The problem of a cursor that no page of the list has returned.
#[must_use]
pub fn foreign() -> Problem {
    Problem::invalid_parameter("cursor", "must be the next of an earlier page of this list")
}

/// Cuts a page from entries in order. More than `limit` entries mean that there is a next page.
pub fn cut<T>(kind: Kind, mut items: Vec<T>, limit: usize, place: impl Fn(&T) -> String) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| kind.cursor(&place(last)));
    Page { items, next }
}
