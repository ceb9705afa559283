//! The fold of visits as the release before and the next one may have it: the first lacks an attribute, the second
//! adds one.

use projections::{projection::Projection, waitees::Waitees};
use schema::{
    Fact, Time, UserId,
    table::{Row, RowTable, WAITEES, WaiteeRow},
    waitee::Event,
};
use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use serde_json::Value;
use uuid::Uuid;

/// The fold of the release before.
pub(super) struct Former;

/// The fold of the next release.
pub(super) struct Next;

/// A row without the attribute `called_at`.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct FormerRow(WaiteeRow);

/// A row with the attribute `served`, which this release does not know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct NextRow {
    #[serde(flatten)]
    row: WaiteeRow,
    #[serde(default)]
    served: String,
}

impl Serialize for FormerRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serde_json::to_value(&self.0).map_err(S::Error::custom)?;
        row.as_object_mut().unwrap().remove("called_at");
        row.serialize(serializer)
    }
}

macro_rules! row {
    ($row:ty, $inner:tt, oldest $oldest:literal) => {
        impl Row for $row {
            const TABLE: RowTable = WAITEES;

            const OLDEST: u32 = $oldest;

            fn id(&self) -> Uuid {
                self.$inner.id()
            }

            fn seq(&self) -> u64 {
                self.$inner.seq()
            }

            fn tenant(&self) -> UserId {
                self.$inner.tenant()
            }

            fn stamp(&mut self, seq: u64, v: u32, due_at: Option<Time>) {
                self.$inner.stamp(seq, v, due_at);
            }
        }
    };
}

row!(FormerRow, 0, oldest 1);
row!(NextRow, row, oldest 3);

impl Projection for Former {
    type Event = Event;
    type Row = FormerRow;

    const VERSION: u32 = Waitees::VERSION - 1;

    fn begin(fact: &Fact<Event>) -> Option<FormerRow> {
        Waitees::begin(fact).map(FormerRow)
    }

    fn apply(row: &mut FormerRow, fact: &Fact<Event>) {
        Waitees::apply(&mut row.0, fact);
    }

    fn due_at(row: &FormerRow, fact: &Fact<Event>) -> Option<Time> {
        Waitees::due_at(&row.0, fact)
    }
}

impl Projection for Next {
    type Event = Event;
    type Row = NextRow;

    const VERSION: u32 = Waitees::VERSION + 1;

    fn begin(fact: &Fact<Event>) -> Option<NextRow> {
        Waitees::begin(fact).map(|row| NextRow { row, served: String::new() })
    }

    fn apply(row: &mut NextRow, fact: &Fact<Event>) {
        Waitees::apply(&mut row.row, fact);
        row.served =
            serde_json::to_value(row.row.state).ok().as_ref().and_then(Value::as_str).unwrap().to_owned();
    }

    fn due_at(row: &NextRow, fact: &Fact<Event>) -> Option<Time> {
        Waitees::due_at(&row.row, fact)
    }
}
