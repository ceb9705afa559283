//! Reading the whole table, for checks of every stream.

use schema::commit::RawCommit;

use super::{Item, Log, item};
use crate::failure::Failure;

/// The most items of a page. Without a limit, the embedded engine sorts the rest of the table for each page.
pub(super) const PAGE_ITEMS_MAX: i32 = 1_000;

/// An item of the table as stored.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// The stream in its key, which may be the name of no stream.
    pub stream: String,
    pub raw: RawCommit,
}

/// Some items of a segment of the table, and the key of the last one if more follow.
#[derive(Clone, Debug)]
pub struct ScanPage {
    pub items: Vec<Scanned>,
    pub next: Option<Item>,
}

impl Log {
    /// Reads a page of one of `segments` segments, eventually consistent: half a read unit per 4 KB. The items of
    /// a stream are in one segment, usually in order.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn scan(&self, segment: i32, segments: i32, start: Option<Item>) -> Result<ScanPage, Failure> {
        let scan = self
            .client
            .scan()
            .table_name(&self.table)
            .segment(segment)
            .total_segments(segments)
            .limit(PAGE_ITEMS_MAX)
            .set_exclusive_start_key(start);
        let page = scan.send().await.map_err(|cause| {
            Failure::aws(format!("scan segment {segment} of {segments} of the events table"), cause)
        })?;
        let items = page.items.unwrap_or_default();
        let items = items.iter().map(|item| Scanned { stream: stream(item), raw: item::decode_raw(item) });
        Ok(ScanPage { items: items.collect(), next: page.last_evaluated_key })
    }
}

fn stream(item: &Item) -> String {
    item.get("stream").and_then(|name| name.as_s().ok()).cloned().unwrap_or_default()
}
