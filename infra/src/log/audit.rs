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
use crate::{
    batch,
    failure::Failure,
    query::{Order, Range, Selection, query},
};

/// The items with one id after which no more are read, up to the end of a call. The log writes one for each id.
const SAME_ID_MAX: usize = 10_000;

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryPage {
    pub entries: Vec<Entry>,
    /// The number of items that were read, including those that are left out.
    pub examined: usize,
    /// The place up to which the month was read; `None` at its end.
    pub end: Option<End>,
}

/// A place in a month at which reading goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Before the items with this id.
    Before(Uuid),
    /// After all items with this id.
    After(Uuid),
    /// After some items with this key, which is no commit's id: they were added or altered.
    AfterOther(String),
}

/// An item of the index `audit` as stored, possibly altered by other means than this code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEntry {
    /// The stream in its key. `None` if the key names no stream.
    pub stream: Option<StreamId>,
    /// The number in its key.
    pub seq: u64,
    /// Its place in the month: the commit's id, as text.
    pub commit: String,
    /// `None` if the item cannot be read.
    pub entry: Option<Entry>,
}

/// Some consecutive items of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEntryPage {
    pub entries: Vec<RawEntry>,
    /// The place of the last item that was read, if the month may have more after it.
    pub end: Option<String>,
}

impl Log {
    /// Up to `limit` commits of an account in `month`, such as `2026-11`, with ids from `low` to `high`. One
    /// call, eventually consistent: half a read unit per 4 KB.
    ///
    /// Items that cannot be read are left out, with one line in the log.
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
        let [low, high] = [low, high].map(|id| id.to_string());
        let mut page = self.raw_month(tenant, month, Range::Between(&low, &high), order, limit).await?;
        let examined = page.entries.len();
        let end = match page.end.take().map(|key| id(&key).ok_or(key)) {
            None => None,
            Some(Err(other)) => Some(End::AfterOther(other)),
            Some(Ok(id)) => Some(self.whole(tenant, month, id, &mut page.entries).await?),
        };
        let mut unreadable = page.entries.iter().filter(|raw| raw.entry.is_none());
        if let Some(first) = unreadable.next() {
            let (items, commit) = (1 + unreadable.count(), &first.commit);
            error!(account = %tenant, month, items, commit, "items of the index audit cannot be read and are left out of the history; `waitlist verify --all` names them");
        }
        let entries = page.entries.into_iter().filter_map(|raw| raw.entry).collect();
        Ok(EntryPage { entries, examined, end })
    }

    /// Makes a page whole that ends with items of this id. An added item may have the id of a commit, so the page may
    /// hold the one without the other. The items are left to the next page, or all read if the page has no others.
    async fn whole(
        &self,
        tenant: UserId,
        month: &str,
        id: Uuid,
        entries: &mut Vec<RawEntry>,
    ) -> Result<End, Failure> {
        let text = id.to_string();
        if let Some(before) = entries.iter().rposition(|raw| raw.commit != text) {
            entries.truncate(before + 1);
            return Ok(End::Before(id));
        }
        let partition = commit::month(tenant, month);
        let range = Range::Between(&text, &text);
        let selection = Selection { index: AUDIT, partition: &partition, range, order: Order::Ascending };
        let mut pages = query(&self.client, self.table.clone(), selection).into_paginator().send();
        entries.clear();
        while let Some(page) = pages.next().await {
            let doing = || format!("read {text} of {partition} of the index {}", AUDIT.name);
            let page = page.map_err(|cause| Failure::aws(doing(), cause))?;
            entries.extend(page.items.unwrap_or_default().into_iter().map(raw));
            if entries.len() >= SAME_ID_MAX {
                error!(account = %tenant, month, commit = text, "more items than are read have the id of one commit; others are left out of the history");
                break;
            }
        }
        Ok(End::After(id))
    }

    /// Like [`Log::month`], with items that cannot be read, and with places in a range of texts.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn raw_month(
        &self,
        tenant: UserId,
        month: &str,
        range: Range<'_>,
        order: Order,
        limit: usize,
    ) -> Result<RawEntryPage, Failure> {
        let partition = commit::month(tenant, month);
        let selection = Selection { index: AUDIT, partition: &partition, range, order };
        let query = query(&self.client, self.table.clone(), selection);
        let page =
            query.limit(i32::try_from(limit).unwrap_or(i32::MAX)).send().await.map_err(|cause| {
                Failure::aws(format!("read {partition} of the index {}", AUDIT.name), cause)
            })?;
        let end = page.last_evaluated_key.as_ref().map(place);
        Ok(RawEntryPage { entries: page.items.unwrap_or_default().into_iter().map(raw).collect(), end })
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
        let keys: BTreeSet<(StreamId, u64)> = keys.into_iter().collect(); // DynamoDB refuses a key that is given twice
        let keys: Vec<Item> = keys.into_iter().map(key).collect();
        let items = batch::get(&self.client, &self.table, keys, "read commits by their keys").await?;
        Ok(items
            .into_iter()
            .filter_map(decoded)
            .map(|commit| ((commit.stream, commit.seq), commit))
            .collect())
    }
}

/// The entry that the index has for a commit. `None` if the index leaves it out.
///
/// # Errors
/// The commit's text is no list of events.
pub fn entry_of(commit: &Commit) -> Result<Option<Entry>, schema::commit::Unreadable> {
    let types = commit.types()?;
    let Commit { stream, seq, commit: id, actor, .. } = *commit;
    Ok(commit::is_audited(stream, &types).then_some(Entry { stream, seq, commit: id, actor, types }))
}

fn raw(item: Item) -> RawEntry {
    let stream = item.get(EVENTS.hash.0).and_then(|name| StreamId::stored(name.as_s().ok()?).ok());
    let (seq, commit) = (item::key_number(&item), place(&item));
    // The id in another spelling has another place in the month.
    let is_whole = |entry: &Entry| entry.seq > 0 && id(&commit) == Some(entry.commit);
    let entry = serde_dynamo::from_item(item).ok().filter(is_whole);
    RawEntry { stream, seq, commit, entry }
}

/// The id whose text is exactly this.
fn id(text: &str) -> Option<Uuid> {
    text.parse().ok().filter(|id: &Uuid| id.to_string() == text)
}

/// The place of an item in its month.
fn place(item: &Item) -> String {
    item.get(AUDIT.range.0).and_then(|id| id.as_s().ok()).cloned().unwrap_or_default()
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
