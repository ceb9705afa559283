//! Cursors: where a page ended, and nothing else. The account and the list come from the path that was authorized.

use data_encoding::BASE64URL_NOPAD;
use schema::{Problem, check::whole_number};

/// The most entries of a page, and how many when nothing is said.
const LIMIT_MAX: usize = 200;
const LIMIT_DEFAULT: usize = 50;

/// The longest place a cursor holds, in bytes: a rank with an id. DynamoDB refuses sort keys over 1,024.
const PLACE_BYTES_MAX: usize = 256;

/// What a cursor continues: one kind of page is not continued by another's cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An account's lists.
    Lists,
    /// A board.
    Board,
    /// The parties of a day.
    Day,
    /// A stream's history.
    History,
}

/// What a page is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// At most this many entries.
    pub limit: usize,
    /// Behind this place.
    pub after: Option<String>,
}

impl Kind {
    fn letter(self) -> &'static str {
        match self {
            Self::Lists => "l",
            Self::Board => "b",
            Self::Day => "d",
            Self::History => "h",
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
    /// One does not parse.
    pub fn page(self, limit: Option<String>, cursor: Option<String>) -> Result<PageRequest, Problem> {
        let limit = match limit {
            None => LIMIT_DEFAULT,
            Some(text) => whole_number(&text)
                .and_then(|limit| usize::try_from(limit).ok())
                .filter(|limit| (1..=LIMIT_MAX).contains(limit))
                .ok_or_else(|| {
                    Problem::invalid_parameter(
                        "limit",
                        format!("must be a whole number from 1 to {LIMIT_MAX}"),
                    )
                })?,
        };
        let after = match cursor {
            None => None,
            Some(text) => Some(self.place(&text).ok_or_else(|| {
                Problem::invalid_parameter("cursor", "must be the next of a page of this same list")
            })?),
        };
        Ok(PageRequest { limit, after })
    }

    fn place(self, cursor: &str) -> Option<String> {
        let text = String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?;
        let place = text.strip_prefix(self.letter())?;
        (!place.is_empty() && place.len() <= PLACE_BYTES_MAX && place.is_ascii()).then(|| place.to_owned())
    }
}

/// Cuts a page from entries in order, of which more than `limit` are given when there is a next page.
pub fn cut<T>(
    kind: Kind,
    mut entries: Vec<T>,
    limit: usize,
    place: impl Fn(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(|last| kind.cursor(&place(last)));
    (entries, next)
}
