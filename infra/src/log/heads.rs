//! Reading the heads of all commits from a segment of the table: their numbers and the types of their events.

use aws_sdk_dynamodb::{operation::scan::builders::ScanFluentBuilder, types::AttributeValue};
use schema::{StreamId, Time, UserId};

use super::{
    Item, Log, Place, item,
    segment::{numbers, place, start_key},
};
use crate::failure::Failure;

const ATTRIBUTES: [&str; 6] = ["stream", "seq", "last", "at", "tenant", "types"];

/// A commit without its events. An altered attribute reads as if it were missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub stream: StreamId,
    /// Numbers of its first and of its last event.
    pub seq: u64,
    pub last: u64,
    pub at: Option<Time>,
    pub tenant: Option<UserId>,
    pub types: Vec<String>,
}

/// Some commits of a segment of the table.
#[derive(Clone, Debug)]
pub struct HeadPage {
    /// The number of items, including those whose key names no stream.
    pub items: usize,
    pub heads: Vec<Head>,
    pub read_units: f64,
    /// The start of the next page; `None` at the end of the segment.
    pub next: Option<Place>,
}

impl Log {
    /// Reads a page of one of `segments` segments, eventually consistent: half a read unit per 4 KB of the whole
    /// items. The items of a stream are in one segment, usually in order.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn heads(
        &self,
        (segment, segments): (u32, u32),
        start: Option<&Place>,
    ) -> Result<HeadPage, Failure> {
        let of_heads = |scan: ScanFluentBuilder| {
            let named =
                |scan: ScanFluentBuilder, name| scan.expression_attribute_names(format!("#{name}"), name);
            let names = ATTRIBUTES.map(|name| format!("#{name}")).join(", ");
            ATTRIBUTES.into_iter().fold(scan.projection_expression(names), named)
        };
        let page = self.scan_page(numbers((segment, segments)), start.map(start_key), of_heads).await?;
        let items = page.items.unwrap_or_default();
        Ok(HeadPage {
            items: items.len(),
            heads: items.iter().filter_map(head).collect(),
            read_units: page.consumed_capacity.and_then(|used| used.capacity_units).unwrap_or_default(),
            next: page.last_evaluated_key.as_ref().map(place),
        })
    }
}

/// `None` if the key names no stream that this code knows.
fn head(item: &Item) -> Option<Head> {
    let text = |name| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok());
    let seq = item::key_number(item);
    let last = item.get("last").and_then(|last| last.as_n().ok()?.parse().ok());
    let types = item.get("types").and_then(|types| types.as_ss().ok());
    Some(Head {
        stream: StreamId::stored(text("stream")?).ok()?,
        seq,
        last: last.unwrap_or(seq),
        at: text("at").and_then(|at| at.parse().ok()),
        tenant: text("tenant").and_then(|tenant| tenant.parse().ok()),
        types: types.cloned().unwrap_or_default(),
    })
}
