//! Rows of read models: reads by key, conditional writes, and reads of indexes.

mod board;
mod due;
mod generation;
mod index;
mod scan;

use aws_sdk_dynamodb::{Client, operation::put_item::PutItemError, types::AttributeValue};
use schema::table::Row;
use uuid::Uuid;

pub(crate) use self::index::query;
pub use self::{
    generation::{Generation, Put, RawPage, RawRow, id_of},
    index::{Order, Page, Range, Selection, StartKey},
    scan::Showing,
};
use crate::{batch, failure::Failure};

/// A stored row, of any version.
#[derive(Clone, Debug)]
pub struct Found<R> {
    pub seq: u64,
    /// Version of the code that wrote it.
    pub version: u32,
    /// The parsed row; `None` if its version is older than the requested one, because its shape may differ.
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

impl Rows {
    #[must_use]
    pub fn new(client: Client, prefix: &str) -> Self {
        Self { client, prefix: prefix.to_owned() }
    }

    /// Reads one row, strongly consistent: 1 read unit per 4 KB. [`Found::row`] is `None` if the row is older
    /// than `version`.
    ///
    /// # Errors
    /// The table cannot be read, or the item is no such row.
    pub async fn get<R: Row>(&self, id: Uuid, version: u32) -> Result<Option<Found<R>>, Failure> {
        let doing = || format!("read row {id} of {}", R::TABLE.suffix);
        let found = self
            .client
            .get_item()
            .table_name(R::TABLE.name(&self.prefix))
            .key("id", AttributeValue::S(id.to_string()))
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

    /// Reads the rows with these ids, strongly consistent, up to 100 per call and several calls at once. Missing
    /// rows are left out; the order is unspecified.
    ///
    /// # Errors
    /// The table cannot be read, or an item is no such row.
    pub async fn get_all<R: Row>(&self, ids: &[Uuid]) -> Result<Vec<R>, Failure> {
        let doing = || format!("read {} rows of {}", ids.len(), R::TABLE.suffix);
        let key = |id: &Uuid| batch::Item::from([("id".to_owned(), AttributeValue::S(id.to_string()))]);
        let keys = ids.iter().map(key).collect();
        let items = batch::get(&self.client, &R::TABLE.name(&self.prefix), keys, &doing()).await?;
        let rows = items.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>();
        rows.map_err(|cause| Failure::broken(doing(), cause))
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
}
