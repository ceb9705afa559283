//! The text of a checkpoint's note, <https://c2sp.org/tlog-checkpoint>.

use std::{fmt, str::FromStr};

use data_encoding::{BASE64, HEXLOWER};

use super::{Leaf, merkle};
use crate::{
    Time,
    commit::{Bytes, Hash},
};

const TIME: &str = "time ";
const PREVIOUS: &str = "previous ";

/// The part of a checkpoint that is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The log that it belongs to; also the name of the key.
    pub origin: String,
    /// The number of leaves.
    pub size: u64,
    /// The root of the tree over the leaves.
    pub root: Hash,
    /// The time at which reading the log began.
    pub at: Time,
    /// The hash of the checkpoint before, see [`super::Note::hash`].
    pub previous: Option<Hash>,
}

/// The text is not exactly what [`Head`] writes.
#[derive(Debug, thiserror::Error)]
#[error("must be origin, number of leaves, root, time and, at most, the previous checkpoint")]
pub struct NotAHead;

impl Head {
    /// The head over these leaves, which are sorted.
    #[must_use]
    pub fn over(origin: &str, at: Time, previous: Option<Hash>, leaves: &[Leaf]) -> Self {
        let root = merkle::root(leaves.iter().map(Leaf::node));
        Self { origin: origin.to_owned(), size: leaves.len() as u64, root, at, previous }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, size, root, at, previous } = self;
        writeln!(f, "{origin}\n{size}\n{}\n{TIME}{at}", BASE64.encode(&root.0))?;
        previous.iter().try_for_each(|hash| writeln!(f, "{PREVIOUS}{}", HEXLOWER.encode(&hash.0)))
    }
}

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let mut lines = text.lines();
        let mut line = || lines.next().ok_or(NotAHead);
        let (origin, size, root, at) = (line()?.to_owned(), line()?, line()?, line()?);
        let previous = lines.next();
        let hash = |bytes: Vec<u8>| bytes.try_into().map(Bytes).map_err(|_| NotAHead);
        let previous = previous.map(|line| {
            let hex = line.strip_prefix(PREVIOUS).ok_or(NotAHead)?;
            hash(HEXLOWER.decode(hex.as_bytes()).map_err(|_| NotAHead)?)
        });
        let head = Self {
            origin,
            size: size.parse().map_err(|_| NotAHead)?,
            root: hash(BASE64.decode(root.as_bytes()).map_err(|_| NotAHead)?)?,
            at: at.strip_prefix(TIME).and_then(|at| at.parse().ok()).ok_or(NotAHead)?,
            previous: previous.transpose()?,
        };
        if head.to_string() == text { Ok(head) } else { Err(NotAHead) }
    }
}
