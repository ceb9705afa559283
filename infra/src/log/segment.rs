//! Reading the streams of one category from a segment of the table, to fold them.

use aws_sdk_dynamodb::types::AttributeValue;
use schema::{Commit, StreamId, id::Category};
use serde::{Deserialize, Serialize};

use super::{Item, Log, item};
use crate::failure::Failure;

/// The key of an item, behind which a page starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub stream: String,
    /// A decimal number. An added item may have a number that this code does not write.
    pub seq: String,
}

/// An item of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub place: Place,
    /// `None` for a stream of another category, known or not.
    pub of: Option<InStream>,
}

/// An item of a stream of the category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InStream {
    pub stream: StreamId,
    /// `None` if the item is no commit.
    pub commit: Option<Commit>,
}

/// Some items of a segment of the table.
#[derive(Clone, Debug)]
pub struct SegmentPage {
    pub items: Vec<Stored>,
    /// The size of the items.
    pub bytes: u64,
    pub read_units: f64,
    /// The start of the next page; `None` at the end of the segment.
    pub next: Option<Place>,
}

impl Log {
    /// Reads a page of one of `segments` segments, strongly consistent: 1 read unit per 4 KB. The items of a stream
    /// are in one segment, usually in order. Only items of streams of the category are parsed.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn segment_page(
        &self,
        category: Category,
        (segment, segments): (u32, u32),
        start: Option<&Place>,
    ) -> Result<SegmentPage, Failure> {
        let segment = numbers((segment, segments));
        let page = self.scan_page(segment, start.map(start_key), |scan| scan.consistent_read(true)).await?;
        let stored = |item: Item| {
            let place = place(&item);
            let stream = StreamId::stored(&place.stream).ok().filter(|stream| stream.category == category);
            Stored { place, of: stream.map(|stream| InStream { stream, commit: item::decode(item).ok() }) }
        };
        let items = page.items.unwrap_or_default();
        Ok(SegmentPage {
            bytes: items.iter().map(|item| item::size(item) as u64).sum(),
            items: items.into_iter().map(stored).collect(),
            read_units: page.consumed_capacity.and_then(|used| used.capacity_units).unwrap_or_default(),
            next: page.last_evaluated_key.as_ref().map(place),
        })
    }
}

/// The numbers of a segment and of all segments, as the SDK takes them.
pub(super) fn numbers((segment, segments): (u32, u32)) -> (i32, i32) {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    (number(segment), number(segments))
}

pub(super) fn place(key: &Item) -> Place {
    let text = |name, value: fn(&AttributeValue) -> Option<&String>| {
        key.get(name).and_then(value).cloned().unwrap_or_default()
    };
    Place { stream: text("stream", |value| value.as_s().ok()), seq: text("seq", |value| value.as_n().ok()) }
}

pub(super) fn start_key(place: &Place) -> Item {
    Item::from([
        ("stream".to_owned(), AttributeValue::S(place.stream.clone())),
        ("seq".to_owned(), AttributeValue::N(place.seq.clone())),
    ])
}
