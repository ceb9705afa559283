//! Reading the whole table, for checks of every stream.

use aws_sdk_dynamodb::{
    operation::scan::{ScanOutput, builders::ScanFluentBuilder},
    types::ReturnConsumedCapacity,
};
use schema::commit::RawCommit;

use super::{Item, Log, item};
use crate::failure::Failure;

/// The most items of a page. Without a limit, the embedded engine sorts the rest of the table for each page.
pub const PAGE_ITEMS_MAX: i32 = 1_000;

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
        let page = self.scan_page((segment, segments), start, |scan| scan).await?;
        let items = page.items.unwrap_or_default();
        let items = items.iter().map(|item| Scanned { stream: stream(item), raw: item::decode_raw(item) });
        Ok(ScanPage { items: items.collect(), next: page.last_evaluated_key })
    }

    /// Reads a page of a segment, with the units that it used: eventually consistent and whole, unless `with` asks for
    /// something else.
    pub(super) async fn scan_page(
        &self,
        (segment, segments): (i32, i32),
        start: Option<Item>,
        with: impl FnOnce(ScanFluentBuilder) -> ScanFluentBuilder,
    ) -> Result<ScanOutput, Failure> {
        let scan = self.client.scan().table_name(&self.table).segment(segment).total_segments(segments);
        let scan = scan
            .limit(PAGE_ITEMS_MAX)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_exclusive_start_key(start);
        with(scan).send().await.map_err(|cause| {
            Failure::aws(format!("scan segment {segment} of {segments} of the events table"), cause)
        })
    }
}

fn stream(item: &Item) -> String {
    item.get("stream").and_then(|name| name.as_s().ok()).cloned().unwrap_or_default()
}
