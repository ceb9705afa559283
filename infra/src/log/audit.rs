//! Reads commits of all streams of an account: by the index `audit`, month by month, and by their keys.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use schema::{
    Actor, Commit, StreamId, UserId, commit,
    table::{AUDIT, EVENTS},
};
use serde::Deserialize;
use tracing::error;
use uuid::Uuid;

use super::{Item, Log, item};
use crate::{batch, failure::Failure, rows::Order};

/// A commit as the index `audit` holds it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    pub stream: StreamId,
    /// Number of its first event.
    pub seq: u64,
    pub commit: Uuid,
    pub actor: Actor,
    /// The types of its events.
    pub types: BTreeSet<String>,
}

/// Some consecutive commits of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPage {
    pub entries: Vec<Entry>,
    /// The last commit that was read, if the month may have more after it.
    pub end: Option<Uuid>,
}

impl Log {
    /// Up to `limit` commits of an account in `month`, such as `2026-11`, with ids from `low` to `high`. One
    /// call, eventually consistent: half a read unit per 4 KB.
    ///
    /// Entries that cannot be read are logged and left out.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn month(
        &self,
        tenant: UserId,
        month: &str,
        (low, high): (Uuid, Uuid),
        order: Order,
        limit: usize,
    ) -> Result<EntryPage, Failure> {
        let partition = commit::month(tenant, month);
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(AUDIT.name)
            .scan_index_forward(order == Order::Ascending)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .key_condition_expression("#month = :month AND #commit BETWEEN :low AND :high")
            .expression_attribute_names("#month", AUDIT.hash.0)
            .expression_attribute_names("#commit", AUDIT.range.0)
            .expression_attribute_values(":month", AttributeValue::S(partition.clone()))
            .expression_attribute_values(":low", AttributeValue::S(low.to_string()))
            .expression_attribute_values(":high", AttributeValue::S(high.to_string()))
            .send()
            .await
            .map_err(|cause| Failure::aws(format!("read {partition} of the index {}", AUDIT.name), cause))?;
        let end = page.last_evaluated_key.as_ref().and_then(|last| last.get(AUDIT.range.0));
        let end = end.and_then(|id| id.as_s().ok()?.parse().ok());
        Ok(EntryPage { entries: page.items.unwrap_or_default().into_iter().filter_map(entry).collect(), end })
    }

    /// The commits that begin with these events, strongly consistent, by their keys. Costs one read unit each.
    ///
    /// Missing commits are left out, and damaged ones are logged and left out.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn commits_at(
        &self,
        keys: impl IntoIterator<Item = (StreamId, u64)>,
    ) -> Result<HashMap<(StreamId, u64), Commit>, Failure> {
        let key = |(stream, seq): (StreamId, u64)| {
            let [hash, range] = [EVENTS.hash.0, "seq"].map(str::to_owned);
            let (stream, seq) = (stream.to_string(), seq.to_string());
            Item::from([(hash, AttributeValue::S(stream)), (range, AttributeValue::N(seq))])
        };
        let keys: Vec<Item> = keys.into_iter().map(key).collect();
        let items = batch::get(&self.client, &self.table, keys, "read commits by their keys").await?;
        Ok(items
            .into_iter()
            .filter_map(decoded)
            .map(|commit| ((commit.stream, commit.seq), commit))
            .collect())
    }

    /// The commit that holds event `seq` of a stream: one call, strongly consistent. `None` if the stream has
    /// no such event.
    ///
    /// # Errors
    /// The table cannot be read, or the commit is damaged.
    pub async fn holding(&self, stream: StreamId, seq: u64) -> Result<Option<Commit>, Failure> {
        let doing = || format!("load the commit of {stream}@{seq}");
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(1)
            .key_condition_expression("#stream = :stream AND #seq <= :seq")
            .expression_attribute_names("#stream", EVENTS.hash.0)
            .expression_attribute_names("#seq", "seq")
            .expression_attribute_values(":stream", AttributeValue::S(stream.to_string()))
            .expression_attribute_values(":seq", AttributeValue::N(seq.to_string()))
            .send()
            .await
            .map_err(|cause| Failure::aws(doing(), cause))?;
        let found = page.items.unwrap_or_default().pop().map(item::decode).transpose();
        let found = found.map_err(|cause| Failure::broken(doing(), cause))?;
        Ok(found.filter(|commit| commit.holds(seq)))
    }
}

/// The entry that the index has for a commit. `None` if the index leaves it out.
///
/// # Errors
/// The commit's text is no list of events.
pub fn entry_of(commit: &Commit) -> Result<Option<Entry>, schema::commit::Unreadable> {
    let types = commit.types()?;
    let Commit { stream, seq, commit: id, actor, .. } = *commit;
    Ok(commit::is_audited(&types).then_some(Entry { stream, seq, commit: id, actor, types }))
}

fn entry(item: Item) -> Option<Entry> {
    let name = name(&item);
    serde_dynamo::from_item(item)
        .inspect_err(|cause| error!(commit = name, %cause, "an entry of the index audit cannot be read; `waitlist verify` finds the altered commit"))
        .ok()
}

fn decoded(item: Item) -> Option<Commit> {
    let name = name(&item);
    item::decode(item)
        .inspect_err(|cause| error!(commit = name, %cause, "a stored commit cannot be read; `waitlist verify` names the fault"))
        .ok()
}

/// `stream@seq`, for logs.
fn name(item: &Item) -> String {
    let stream = item.get(EVENTS.hash.0).and_then(|stream| stream.as_s().ok());
    let seq = item.get("seq").and_then(|seq| seq.as_n().ok());
    format!("{}@{}", stream.map_or("?", String::as_str), seq.map_or("?", String::as_str))
}
