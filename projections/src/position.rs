//! The place where a page of a history ended: the last event shown, and the chain of commits up to it. The
//! next page reads and verifies on from there.

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
use schema::{
    Time,
    commit::{Broken, Bytes, Chain, Tail},
};

/// A place in a stream's history. A client that alters it gets a wrong `verified`, for its own requests only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Number of the last event shown.
    pub(crate) after: u64,
    pub(crate) chain: Chain,
}

impl Position {
    pub(crate) const START: Self = Self { after: 0, chain: Chain::START };
}

/// The letters of breaks in cursors. `Missing` is found at the end of a stream only, where no cursor leads.
const REASONS: [(Broken, char); 10] = [
    (Broken::Gap, 'g'),
    (Broken::Link, 'l'),
    (Broken::Content, 'c'),
    (Broken::Time, 't'),
    (Broken::Id, 'i'),
    (Broken::Number, 'n'),
    (Broken::Unreadable, 'u'),
    (Broken::Types, 'y'),
    (Broken::Month, 'm'),
    (Broken::Form, 'f'),
];

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { after, chain: Chain { head, key, broken } } = self;
        write!(f, "{after}.")?;
        if *key != head.seq {
            write!(f, "{key}-")?; // the last commit has several events
        }
        write!(f, "{}.", head.seq)?;
        if let Some(at) = head.at {
            write!(f, "{}", at.millis())?;
        }
        write!(f, ".{}.", BASE64URL_NOPAD.encode(&head.hash.0))?;
        if let Some((seq, broken)) = broken {
            let reason = REASONS.iter().find(|(known, _)| known == broken).map_or('c', |(_, reason)| *reason);
            write!(f, "{reason}{seq}")?;
        }
        Ok(())
    }
}

#[derive(Debug)]
pub(crate) struct NotAPosition;

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let parse = || {
            let mut parts = text.split('.');
            let mut next = || parts.next();
            let (after, seq, at, hash, broken) = (next()?, next()?, next()?, next()?, next()?);
            let at = if at.is_empty() { None } else { Some(Time::from_millis(at.parse().ok()?)) };
            let hash = BASE64URL_NOPAD.decode(hash.as_bytes()).ok()?.try_into().ok()?;
            let broken = match broken.chars().next() {
                None => None,
                Some(first) => {
                    let (reason, _) = REASONS.into_iter().find(|(_, reason)| *reason == first)?;
                    Some((broken[1..].parse().ok()?, reason))
                }
            };
            let (key, seq) = seq.split_once('-').unwrap_or((seq, seq));
            let head = Tail { seq: seq.parse().ok()?, at, hash: Bytes(hash) };
            Some(Self { after: after.parse().ok()?, chain: Chain { head, key: key.parse().ok()?, broken } })
        };
        parse().filter(|position| position.to_string() == text).ok_or(NotAPosition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let head = Tail { seq: 41, at: Some(Time::from_millis(1_795_203_720_000)), hash: Bytes([7; 32]) };
        for broken in [None].into_iter().chain(REASONS.map(|(reason, _)| Some((40, reason)))) {
            for key in [41, 40] {
                let position = Position { after: 42, chain: Chain { head, key, broken } };
                assert_eq!(position.to_string().parse::<Position>().ok(), Some(position));
            }
        }
        assert_eq!(Position::START.to_string().parse::<Position>().ok(), Some(Position::START));
    }

    #[test]
    fn any_other_spelling_is_no_position() {
        let good = Position::START.to_string();
        let others = ["", "1", "42.41.1.", "+1", "x"].map(str::to_owned);
        for text in others.into_iter().chain([
            format!("+{good}"),
            format!("0{good}"),
            format!("{good}x1"),
            format!("{good}."),
            good.replacen("0.0.", "0.0-0.", 1),
        ]) {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
