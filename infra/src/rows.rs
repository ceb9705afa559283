//! Rows of read models: conditional writes, reads by key and in index order.

mod due;

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, query::builders::QueryFluentBuilder},
    types::{AttributeValue, KeysAndAttributes},
};
use schema::{
    Rank, UserId, WaiteeId, WaitlistId,
    table::{self, Table},
};
use serde::{Serialize, de::DeserializeOwned};

pub use self::due::{DueFirst, DueRow};
use crate::failure::Failure;

/// The most rows that one Query is asked for.
const PAGE_ROWS_MAX: i32 = 500;

/// The most rows of one BatchGetItem.
const BATCH_ROWS_MAX: usize = 100;

/// What the feed needs of a row.
pub trait Row: Serialize + DeserializeOwned + Clone + Send + Sync {
    /// The table it stands in.
    const TABLE: Table;

    /// Its key.
    fn id(&self) -> String;

    /// Number of the last event it shows.
    fn seq(&self) -> u64;

    /// Version of the code that wrote it.
    fn version(&self) -> u32;

    /// The account it belongs to.
    fn tenant(&self) -> UserId;
}

/// A row as it stands in its table, whichever version of the code wrote it.
#[derive(Clone, Debug)]
pub struct Found<R> {
    /// Number of the last event it shows.
    pub seq: u64,
    /// Version of the code that wrote it.
    pub version: u32,
    /// The parsed row; `None` if code older than the requested version wrote it, because its shape may
    /// differ.
    pub row: Option<R>,
}

/// The attributes common to all versions of a row.
#[derive(serde::Deserialize)]
struct Written {
    seq: u64,
    v: u32,
}

/// The row tables of one deployment. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Rows {
    client: Client,
    prefix: String,
}

/// A place in an index: the keys behind which the next page starts.
pub type Place = HashMap<String, AttributeValue>;

/// Selects the rows of one partition of an index.
#[derive(Clone, Copy, Debug)]
pub struct Range<'a> {
    /// The index.
    pub index: &'static str,
    /// Name and value of its partition key.
    pub hash: (&'static str, &'a str),
    /// Name of its sort key, and the bound that all rows lie beyond.
    pub beyond: Option<(&'static str, &'a str)>,
    /// Largest sort key first; then rows lie before `beyond`.
    pub backwards: bool,
}

impl Rows {
    /// The row tables of the deployment `prefix`.
    #[must_use]
    pub fn new(client: Client, prefix: &str) -> Self {
        Self { client, prefix: prefix.to_owned() }
    }

    /// Reads one row, strongly consistent: 1 read unit per 4 KB. [`Found::row`] is `None` if code older than
    /// `version` wrote it.
    ///
    /// # Errors
    /// The table cannot be read, or holds what is no such row.
    pub async fn get<R: Row>(&self, id: &str, version: u32) -> Result<Option<Found<R>>, Failure> {
        let doing = || format!("read row {id} of {}", R::TABLE.suffix);
        let found = self
            .client
            .get_item()
            .table_name(R::TABLE.name(&self.prefix))
            .key("id", AttributeValue::S(id.to_owned()))
            .consistent_read(true);
        let Some(item) = found.send().await.map_err(|cause| Failure::aws(doing(), cause))?.item else {
            return Ok(None);
        };
        let written: Written =
            serde_dynamo::from_item(item.clone()).map_err(|cause| Failure::broken(doing(), cause))?;
        let row = (written.v >= version).then(|| serde_dynamo::from_item(item)).transpose();
        let row = row.map_err(|cause| Failure::broken(doing(), cause))?;
        Ok(Some(Found { seq: written.seq, version: written.v, row }))
    }

    /// Reads the rows with these ids, strongly consistent, up to 100 per call. Missing rows are left out; the
    /// order is unspecified.
    ///
    /// # Errors
    /// The table cannot be read, or holds what is no such row.
    pub async fn get_all<R: Row>(&self, ids: &[String]) -> Result<Vec<R>, Failure> {
        let doing = || format!("read {} rows of {}", ids.len(), R::TABLE.suffix);
        let table = R::TABLE.name(&self.prefix);
        let mut rows = Vec::with_capacity(ids.len());
        let mut wanted: Vec<Place> =
            ids.iter().map(|id| HashMap::from([("id".to_owned(), AttributeValue::S(id.clone()))])).collect();
        // Keys left unprocessed (throttling, 16 MB limit) are requested again. Bounded, because each call is
        // expected to return at least one row.
        for _ in 0..=ids.len() {
            if wanted.is_empty() {
                return Ok(rows);
            }
            let rest = wanted.split_off(wanted.len().min(BATCH_ROWS_MAX));
            let keys = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
            let keys = keys.map_err(|cause| Failure::broken(doing(), cause))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&table, keys)
                .send()
                .await
                .map_err(|cause| Failure::aws(doing(), cause))?;
            for item in answer.responses.unwrap_or_default().remove(&table).unwrap_or_default() {
                rows.push(serde_dynamo::from_item(item).map_err(|cause| Failure::broken(doing(), cause))?);
            }
            wanted = answer
                .unprocessed_keys
                .unwrap_or_default()
                .remove(&table)
                .map(|keys| keys.keys)
                .unwrap_or_default();
            wanted.extend(rest);
        }
        Err(Failure::Broken {
            doing: doing(),
            retry: true,
            cause: "the table keeps leaving rows unread".into(),
        })
    }

    /// Writes `new` if the stored row still has the seq and version of `old`; without `old`, if no row is
    /// stored. Returns `false` if that condition fails.
    ///
    /// # Errors
    /// The table does not answer; the row may have been written.
    pub async fn put<R: Row>(&self, new: &R, old: Option<&Found<R>>) -> Result<bool, Failure> {
        let doing = || format!("write row {} of {}", new.id(), R::TABLE.suffix);
        let item = serde_dynamo::to_item(new).map_err(|cause| Failure::broken(doing(), cause))?;
        let put = self.client.put_item().table_name(R::TABLE.name(&self.prefix)).set_item(Some(item));
        let put = match old {
            None => {
                put.condition_expression("attribute_not_exists(#id)").expression_attribute_names("#id", "id")
            }
            Some(old) => put
                .condition_expression("#seq = :seq AND #v = :v")
                .expression_attribute_names("#seq", "seq")
                .expression_attribute_names("#v", "v")
                .expression_attribute_values(":seq", AttributeValue::N(old.seq.to_string()))
                .expression_attribute_values(":v", AttributeValue::N(old.version.to_string())),
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(Failure::aws(doing(), error)),
            },
        }
    }

    /// Up to `limit` rows of an index from `start` on, and where the rest begins. Eventually consistent: half a read unit
    /// per 4 KB.
    ///
    /// # Errors
    /// The index cannot be read, or holds what is no such row.
    pub async fn page<R: DeserializeOwned>(
        &self,
        table: Table,
        range: Range<'_>,
        limit: usize,
        start: Option<Place>,
    ) -> Result<(Vec<R>, Option<Place>), Failure> {
        let query = self
            .client
            .query()
            .table_name(table.name(&self.prefix))
            .index_name(range.index)
            .scan_index_forward(!range.backwards)
            .expression_attribute_names("#hash", range.hash.0)
            .expression_attribute_values(":hash", AttributeValue::S(range.hash.1.to_owned()));
        let query = match range.beyond {
            None => query.key_condition_expression("#hash = :hash"),
            Some((name, bound)) => query
                .key_condition_expression(if range.backwards {
                    "#hash = :hash AND #range < :bound"
                } else {
                    "#hash = :hash AND #range > :bound"
                })
                .expression_attribute_names("#range", name)
                .expression_attribute_values(":bound", AttributeValue::S(bound.to_owned())),
        };
        self.pages(format!("read index {} of {}", range.index, table.suffix), query, limit, start).await
    }

    async fn pages<R: DeserializeOwned>(
        &self,
        doing: String,
        query: QueryFluentBuilder,
        limit: usize,
        mut start: Option<Place>,
    ) -> Result<(Vec<R>, Option<Place>), Failure> {
        let doing = || doing.clone();
        let mut rows = Vec::new();
        loop {
            let wanted = i32::try_from(limit - rows.len()).unwrap_or(PAGE_ROWS_MAX).min(PAGE_ROWS_MAX);
            let query = query.clone().limit(wanted).set_exclusive_start_key(start);
            let page = query.send().await.map_err(|cause| Failure::aws(doing(), cause))?;
            for item in page.items.unwrap_or_default() {
                rows.push(serde_dynamo::from_item(item).map_err(|cause| Failure::broken(doing(), cause))?);
            }
            start = page.last_evaluated_key;
            if start.is_none() || rows.len() >= limit {
                return Ok((rows, start));
            }
        }
    }

    /// How many parties are on a list's board, counted up to `limit`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn active(&self, waitlist: WaitlistId, limit: usize) -> Result<usize, Failure> {
        Ok(self.board(&waitlist.to_string(), None, false, limit).await?.len())
    }

    /// The rank of the nearest party after `rank` on the board, or before it with `backwards`. Skips the
    /// parties in `not`: the moving party and the one it moves next to, whose rows may be stale.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn neighbour(
        &self,
        waitlist: WaitlistId,
        rank: &Rank,
        backwards: bool,
        not: [WaiteeId; 2],
    ) -> Result<Option<Rank>, Failure> {
        // The index sorts by `rank#id`. '#' sorts before rank digits and '~' after any id, so either bound
        // leaves out every row of equal rank.
        let bound = if backwards { format!("{}#", rank.as_str()) } else { format!("{}#~", rank.as_str()) };
        let near = self.board(&waitlist.to_string(), Some(&bound), backwards, not.len() + 1).await?;
        Ok(near.into_iter().find(|row| !not.contains(&row.id)).map(|row| row.rank))
    }

    /// The parties on a list's board, up to `limit`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn on_board(&self, waitlist: WaitlistId, limit: usize) -> Result<Vec<WaiteeId>, Failure> {
        Ok(self
            .board(&waitlist.to_string(), None, false, limit)
            .await?
            .into_iter()
            .map(|row| row.id)
            .collect())
    }

    async fn board(
        &self,
        waitlist: &str,
        bound: Option<&str>,
        backwards: bool,
        limit: usize,
    ) -> Result<Vec<OnBoard>, Failure> {
        let range = Range {
            index: "active",
            hash: ("board", waitlist),
            beyond: bound.map(|bound| ("place", bound)),
            backwards,
        };
        Ok(self.page(table::WAITEES, range, limit, None).await?.0)
    }
}

/// The attributes that `neighbour` and `on_board` read.
#[derive(serde::Deserialize)]
struct OnBoard {
    id: WaiteeId,
    rank: Rank,
}
