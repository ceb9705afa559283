//! Reading streams: strongly consistent, to the end or by the page.

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use schema::{Commit, StreamId};

use super::{Log, STREAM_COMMITS_MAX, item};
use crate::failure::Failure;

/// Some consecutive commits of a stream, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitPage {
    pub commits: Vec<Commit>,
    /// Whether the stream has commits after these.
    pub has_more: bool,
}

impl Log {
    /// The first `limit` commits of a stream that start after event `seq`: one call, strongly consistent.
    ///
    /// # Errors
    /// As [`Log::load`].
    pub async fn page_after(&self, stream: StreamId, seq: u64, limit: usize) -> Result<CommitPage, Failure> {
        let doing = || format!("load {limit} commits of {stream} after {seq}");
        let query = self.after(stream, seq).limit(i32::try_from(limit + 1).unwrap_or(i32::MAX));
        let page = query.send().await.map_err(|cause| Failure::aws(doing(), cause))?;
        let mut items = page.items.unwrap_or_default();
        let has_more = items.len() > limit || page.last_evaluated_key.is_some();
        items.truncate(limit);
        let commits = items.into_iter().map(item::decode).collect::<Result<_, _>>();
        Ok(CommitPage { commits: commits.map_err(|cause| Failure::broken(doing(), cause))?, has_more })
    }

    pub(super) fn after(&self, stream: StreamId, seq: u64) -> QueryFluentBuilder {
        self.items(stream)
            .key_condition_expression("#stream = :stream AND #seq > :seq")
            .expression_attribute_names("#seq", "seq")
            .expression_attribute_values(":seq", AttributeValue::N(seq.to_string()))
    }

    /// All items of a stream, also added ones with numbers below 1.
    pub(super) fn items(&self, stream: StreamId) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#stream = :stream")
            .expression_attribute_names("#stream", "stream")
            .expression_attribute_values(":stream", AttributeValue::S(stream.to_string()))
    }

    /// All commits of a stream, oldest first: strongly consistent, every page. 1 read unit per 4 KB.
    ///
    /// # Errors
    /// The table cannot be read, or the commits are damaged or not contiguous.
    pub async fn load(&self, stream: StreamId) -> Result<Vec<Commit>, Failure> {
        self.load_after(stream, 0).await
    }

    /// The commits of a stream that start after event `seq`, oldest first.
    ///
    /// # Errors
    /// As [`Log::load`].
    pub async fn load_after(&self, stream: StreamId, seq: u64) -> Result<Vec<Commit>, Failure> {
        let doing = || format!("load {stream} after {seq}");
        let mut pages = self.after(stream, seq).into_paginator().send();
        let mut commits: Vec<Commit> = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(|cause| Failure::aws(doing(), cause))?.items.unwrap_or_default() {
                let commit = item::decode(item).map_err(|cause| Failure::broken(doing(), cause))?;
                let expected = commits.last().map_or(seq, |last| last.last) + 1;
                if commit.seq != expected || commit.last < commit.seq {
                    return Err(Failure::broken(
                        doing(),
                        format!("found {} where {expected} should be", commit.seq),
                    ));
                }
                commits.push(commit);
            }
            if commits.len() > STREAM_COMMITS_MAX {
                return Err(Failure::broken(doing(), format!("longer than {STREAM_COMMITS_MAX} commits")));
            }
        }
        Ok(commits)
    }

    /// The last commit of a stream: one item, strongly consistent, however long the stream.
    ///
    /// # Errors
    /// The table cannot be read, or the commit is damaged.
    pub async fn latest(&self, stream: StreamId) -> Result<Option<Commit>, Failure> {
        Ok(self.recent(stream, 1).await?.pop())
    }

    /// The last `limit` commits of a stream, oldest first, and before them the first commit when it is not
    /// one of these: two calls at most, strongly consistent, however long the stream.
    ///
    /// # Errors
    /// As [`Log::latest`].
    pub async fn first_and_recent(&self, stream: StreamId, limit: usize) -> Result<Vec<Commit>, Failure> {
        let mut commits = self.recent(stream, limit).await?;
        if let Some(oldest) = commits.first().map(|commit| commit.seq).filter(|seq| *seq > 1) {
            let first = self.page_after(stream, 0, 1).await?.commits;
            commits.splice(..0, first.into_iter().filter(|first| first.seq < oldest));
        }
        Ok(commits)
    }

    /// The commit that holds event `seq` of a stream: one call, strongly consistent. `None` if the stream has
    /// no such event.
    ///
    /// # Errors
    /// As [`Log::latest`].
    pub async fn holding(&self, stream: StreamId, seq: u64) -> Result<Option<Commit>, Failure> {
        let found = self.last_until(stream, Some(seq), 1).await?.pop();
        Ok(found.filter(|commit| commit.holds(seq)))
    }

    async fn recent(&self, stream: StreamId, limit: usize) -> Result<Vec<Commit>, Failure> {
        self.last_until(stream, None, limit).await
    }

    /// The last `limit` commits of a stream, or of those that start with event `until` or an earlier one; oldest
    /// first.
    async fn last_until(
        &self,
        stream: StreamId,
        until: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Commit>, Failure> {
        let doing = || match until {
            None => format!("load the last commits of {stream}"),
            Some(seq) => format!("load the commit of {stream}@{seq}"),
        };
        let query = match until {
            None => self.after(stream, 0),
            Some(seq) => self
                .items(stream)
                .key_condition_expression("#stream = :stream AND #seq <= :seq")
                .expression_attribute_names("#seq", "seq")
                .expression_attribute_values(":seq", AttributeValue::N(seq.to_string())),
        };
        let query = query.scan_index_forward(false).limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let page = query.send().await.map_err(|cause| Failure::aws(doing(), cause))?;
        let newest_first = page.items.unwrap_or_default().into_iter();
        let commits = newest_first.rev().map(item::decode).collect::<Result<_, _>>();
        commits.map_err(|cause| Failure::broken(doing(), cause))
    }
}
