//! Reading streams as they are stored: an item that cannot be decoded does not hide the others.

use aws_sdk_dynamodb::types::AttributeValue;
use schema::{StreamId, UserId, commit::RawCommit};

use super::{Item, Log, item};
use crate::failure::Failure;

/// Some commits of a stream as stored, in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPage {
    pub commits: Vec<RawCommit>,
    /// Whether the stream has items after these.
    pub has_more: bool,
    /// The account that the first item names, even if it cannot be read otherwise.
    named: Option<UserId>,
}

impl RawPage {
    /// The account that the stream belongs to, by the first commit that can be read.
    #[must_use]
    pub fn tenant(&self) -> Option<UserId> {
        let readable = self.commits.iter().find_map(|raw| Some(raw.commit.as_ref()?.tenant));
        readable.or(self.named)
    }
}

impl Log {
    /// The first `limit` items of a stream with keys after `seq`: one call, strongly consistent. 1 read unit per
    /// 4 KB. Without `seq` it begins at the lowest key, because an added item may have a number below 1.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn raw_after(
        &self,
        stream: StreamId,
        seq: Option<u64>,
        limit: usize,
    ) -> Result<RawPage, Failure> {
        let query = seq.map_or_else(|| self.items(stream), |seq| self.after(stream, seq));
        let query = query.limit(i32::try_from(limit + 1).unwrap_or(i32::MAX));
        let page = query
            .send()
            .await
            .map_err(|cause| Failure::aws(format!("read {limit} items of {stream} after {seq:?}"), cause))?;
        let mut items = page.items.unwrap_or_default();
        let has_more = items.len() > limit || page.last_evaluated_key.is_some();
        items.truncate(limit);
        let commits = items.iter().map(item::decode_raw).collect();
        Ok(RawPage { commits, has_more, named: items.first().and_then(tenant) })
    }

    /// The last item of a stream with a number from 1 on: one call, strongly consistent, however long the stream.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn raw_latest(&self, stream: StreamId) -> Result<Option<RawCommit>, Failure> {
        let query = self.after(stream, 0).scan_index_forward(false).limit(1);
        let page = query
            .send()
            .await
            .map_err(|cause| Failure::aws(format!("read the last item of {stream}"), cause))?;
        Ok(page.items.unwrap_or_default().first().map(item::decode_raw))
    }
}

fn tenant(item: &Item) -> Option<UserId> {
    item.get("tenant").map(AttributeValue::as_s)?.ok()?.parse().ok()
}
