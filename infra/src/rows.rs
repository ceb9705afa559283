//! Rows of read models: reads by key, conditional writes, and reads of indexes.
//!
//! Reads are served from the live generation of a projection; the feed names the generation that it writes.

mod board;
mod due;
mod generation;
mod index;
mod scan;
mod version;

use aws_sdk_dynamodb::{
    Client,
    config::{Builder, retry::RetryConfig},
    operation::put_item::PutItemError,
    types::AttributeValue,
};
use schema::table::{Row, RowTable, Table};
use uuid::Uuid;

use self::version::Written;
pub use self::{
    generation::{Generation, PAGE_ROWS_MAX, Put, RawPage, RawRow, id_of, read_units, seq_of},
    index::{Page, StartKey},
    scan::Showing,
    version::numbers,
};
pub use crate::query::{Order, Range, Selection};
use crate::{batch, failure::Failure, generations::Generations};

/// A stored row, of any version.
#[derive(Clone, Debug)]
pub struct Found<R> {
    pub seq: u64,
    /// Version of the code that wrote it.
    pub version: u32,
    /// The parsed row; `None` if its version is older than the requested one, because its shape may differ, or newer
    /// and its shape does differ.
    pub row: Option<R>,
}

/// A generation whose rows the feed writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub generation: u64,
    pub patience: Patience,
}

/// How long a call waits for a table that throttles or fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// The SDK repeats the call.
    Usual,
    /// The call is made once.
    Once,
}

/// The row tables of one deployment. Clones share their connections and the set of generations.
#[derive(Clone, Debug)]
pub struct Rows {
    client: Client,
    prefix: String,
    generations: Generations,
}

impl Rows {
    #[must_use]
    pub fn new(client: Client, prefix: &str, generations: Generations) -> Self {
        Self { client, prefix: prefix.to_owned(), generations }
    }

    /// The set of generations that reads are served from.
    #[must_use]
    pub fn generations(&self) -> &Generations {
        &self.generations
    }

    /// The table that reads of a projection's rows are served from.
    ///
    /// # Errors
    /// The set of generations cannot be read.
    pub async fn live_table(&self, table: RowTable) -> Result<Table, Failure> {
        Ok(table.generation(self.generations.current().await?.roles(table.projection).live))
    }

    /// Reads one row, strongly consistent: 1 read unit per 4 KB. [`Found::row`] is `None` if the row is older
    /// than `version`.
    ///
    /// # Errors
    /// The table cannot be read, or the item is no such row.
    pub async fn get<R: Row>(&self, id: Uuid, version: u32) -> Result<Option<Found<R>>, Failure> {
        self.live(R::TABLE, |name| self.found(name, id, version, Patience::Usual)).await
    }

    /// Like [`Rows::get`], from one generation.
    ///
    /// # Errors
    /// As [`Rows::get`].
    pub async fn get_in<R: Row>(
        &self,
        target: Target,
        id: Uuid,
        version: u32,
    ) -> Result<Option<Found<R>>, Failure> {
        self.found(self.name::<R>(target), id, version, target.patience).await
    }

    async fn found<R: Row>(
        &self,
        table: String,
        id: Uuid,
        version: u32,
        patience: Patience,
    ) -> Result<Option<Found<R>>, Failure> {
        let doing = || format!("read row {id} of {}", R::TABLE.projection.as_str());
        let get = self.client.get_item().table_name(table).key("id", AttributeValue::S(id.to_string()));
        let found = get.consistent_read(true).customize().config_override(patience.config()).send().await;
        let Some(item) = found.map_err(|cause| Failure::aws(doing(), cause))?.item else { return Ok(None) };
        let Written { seq, v } = version::written::<R>(&item)?;
        let row = match version::read(item) {
            Ok(row) => (v >= version).then_some(row),
            Err(_) if v != version => None,
            Err(unreadable) => return Err(unreadable),
        };
        Ok(Some(Found { seq, version: v, row }))
    }

    /// Reads the rows with these ids, strongly consistent, up to 100 per call and several calls at once. Missing
    /// rows are left out; the order is unspecified.
    ///
    /// # Errors
    /// The table cannot be read, or an item is older than [`Row::OLDEST`] or no such row.
    pub async fn get_all<R: Row>(&self, ids: &[Uuid]) -> Result<Vec<R>, Failure> {
        let doing = &format!("read {} rows of {}", ids.len(), R::TABLE.projection.as_str());
        let key = |id: &Uuid| batch::Item::from([key(*id)]);
        let read = |name: String| async move {
            batch::get(&self.client, &name, ids.iter().map(key).collect(), doing).await
        };
        self.live(R::TABLE, read).await?.into_iter().map(version::read).collect()
    }

    /// Writes `new` if the stored row still has the seq and version of `old`; without `old`, if no row is
    /// stored. Returns `false` if that condition fails.
    ///
    /// # Errors
    /// The table does not answer; the row may have been written.
    pub async fn put<R: Row>(
        &self,
        target: Target,
        new: &R,
        old: Option<&Found<R>>,
    ) -> Result<bool, Failure> {
        let number = |number: u64| Some(AttributeValue::N(number.to_string()));
        self.put_if(target, new, old.map(|old| [number(old.seq), number(old.version.into())])).await
    }

    /// Writes `new` over a row of which these attributes are all that is known, because it may be damaged. Returns
    /// `false` if its seq or version has changed.
    ///
    /// # Errors
    /// As [`Rows::put`].
    pub async fn put_over<R: Row>(&self, target: Target, new: &R, old: &RawRow) -> Result<bool, Failure> {
        self.put_if(target, new, Some(["seq", "v"].map(|name| old.get(name).cloned()))).await
    }

    /// `old` is the stored seq and version; without it, no row must be stored.
    async fn put_if<R: Row>(
        &self,
        target: Target,
        new: &R,
        old: Option<[Option<AttributeValue>; 2]>,
    ) -> Result<bool, Failure> {
        let doing = || format!("write row {} of {}", new.id(), R::TABLE.projection.as_str());
        let item = serde_dynamo::to_item(new).map_err(|cause| Failure::broken(doing(), cause))?;
        let mut put = self.client.put_item().table_name(self.name::<R>(target)).set_item(Some(item));
        let mut conditions = Vec::new();
        match old {
            None => {
                conditions.push("attribute_not_exists(#id)");
                put = put.expression_attribute_names("#id", "id");
            }
            Some([seq, v]) => {
                put = put.expression_attribute_names("#seq", "seq").expression_attribute_names("#v", "v");
                conditions.push(if seq.is_some() { "#seq = :seq" } else { "attribute_not_exists(#seq)" });
                conditions.push(if v.is_some() { "#v = :v" } else { "attribute_not_exists(#v)" });
                for (name, value) in [(":seq", seq), (":v", v)] {
                    if let Some(value) = value {
                        put = put.expression_attribute_values(name, value);
                    }
                }
            }
        }
        let put = put.condition_expression(conditions.join(" AND "));
        match put.customize().config_override(target.patience.config()).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(Failure::aws(doing(), error)),
            },
        }
    }

    /// Reads from the live table of a projection. If there is no such table, another generation has become live and
    /// the former one is deleted: the set is read anew, once.
    async fn live<T, F>(&self, table: RowTable, read: impl Fn(String) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let set = self.generations.current().await?;
        let name = |generation| table.projection.table_name(&self.prefix, generation);
        let live = set.roles(table.projection).live;
        match read(name(live)).await {
            Err(failure) if failure.is_missing_table() => {
                let now = self.generations.reload(&set).await?.roles(table.projection).live;
                if now == live { Err(failure) } else { read(name(now)).await }
            }
            answer => answer,
        }
    }

    fn name<R: Row>(&self, target: Target) -> String {
        R::TABLE.projection.table_name(&self.prefix, target.generation)
    }
}

impl Patience {
    fn config(self) -> Builder {
        match self {
            Self::Usual => Builder::new(),
            Self::Once => Builder::new().retry_config(RetryConfig::disabled()),
        }
    }
}

/// The key of a row.
fn key(id: Uuid) -> (String, AttributeValue) {
    ("id".to_owned(), AttributeValue::S(id.to_string()))
}
