//! The rows of one generation of a projection, whether or not reads are served from it: for rebuilds, which write
//! a generation from the log and compare it with another one.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    operation::{delete_table::DeleteTableError, put_item::PutItemError},
    types::{AttributeValue, ReturnConsumedCapacity},
};
use schema::{projection::Name, table::Table};
use uuid::Uuid;

use super::{Rows, key};
use crate::{batch, failure::Failure, log::size, tables};

/// A row as it is stored.
pub type RawRow = HashMap<String, AttributeValue>;

/// The most rows of a page. The embedded engine sorts the whole segment for each page, so pages are large. Without a limit
/// it sorts the rest of the table.
pub const PAGE_ROWS_MAX: i32 = 1_000;

/// The table of one generation.
#[derive(Clone, Debug)]
pub struct Generation {
    client: Client,
    prefix: String,
    layout: Table,
    /// The table's full name.
    table: String,
}

/// The outcome of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Put {
    /// `false` if the stored row shows as much already, or a newer version of the fold wrote it.
    pub is_written: bool,
    /// The units used in the table and its indexes. A write that is not done costs units as well.
    pub units: f64,
}

/// Some rows of a segment of the table.
#[derive(Clone, Debug)]
pub struct RawPage {
    pub rows: Vec<RawRow>,
    pub read_units: f64,
    /// The id behind which the next page starts; `None` at the end of the segment.
    pub next: Option<Uuid>,
}

impl Rows {
    #[must_use]
    pub fn generation(&self, name: Name, generation: u64) -> Generation {
        let (prefix, layout) = (self.prefix.clone(), name.table().generation(generation));
        Generation { client: self.client.clone(), table: layout.name(&prefix), prefix, layout }
    }
}

impl Generation {
    /// Creates the table unless it exists, and waits until it is active.
    ///
    /// # Errors
    /// The table cannot be created, or is not active in time; a repeat goes on waiting.
    pub async fn create(&self) -> Result<(), Failure> {
        let created = tables::create(&self.client, &self.prefix, std::slice::from_ref(&self.layout)).await;
        created.map_err(|cause| Failure::passing(format!("create {}", self.table), cause))
    }

    /// Deletes the table unless it is gone.
    ///
    /// # Errors
    /// The table cannot be deleted.
    pub async fn delete(&self) -> Result<(), Failure> {
        let deletion = self.client.delete_table().table_name(&self.table);
        match deletion.customize().config_override(tables::patient()).send().await {
            Ok(_) => Ok(()),
            Err(gone)
                if gone.as_service_error().is_some_and(DeleteTableError::is_resource_not_found_exception) =>
            {
                Ok(())
            }
            Err(cause) => Err(Failure::passing(format!("delete {}", self.table), cause)),
        }
    }

    /// Writes a row unless the stored one shows as many events. A row of a newer version is never replaced.
    ///
    /// # Errors
    /// The table does not answer; the row may have been written.
    pub async fn put_newer(&self, row: RawRow) -> Result<Put, Failure> {
        let id = id_of(&row).unwrap_or_default();
        let doing = || format!("write row {id} of {}", self.table);
        let value = |name: &str| row.get(name).cloned().unwrap_or(AttributeValue::Null(true));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .condition_expression(
                "attribute_not_exists(#id) OR (#seq < :seq AND #v <= :v) OR (#seq = :seq AND #v < :v)",
            )
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#seq", "seq")
            .expression_attribute_names("#v", "v")
            .expression_attribute_values(":seq", value("seq"))
            .expression_attribute_values(":v", value("v"))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_item(Some(row));
        match put.send().await {
            Ok(done) => {
                let units = done.consumed_capacity.and_then(|used| used.capacity_units);
                Ok(Put { is_written: true, units: units.unwrap_or_default() })
            }
            Err(error) => match error.as_service_error() {
                // The answer does not tell the units: a failed condition costs those of the larger item, and none
                // in indexes.
                Some(PutItemError::ConditionalCheckFailedException(_)) => {
                    Ok(Put { is_written: false, units: 1.0 })
                }
                _ => Err(Failure::aws(doing(), error)),
            },
        }
    }

    /// Reads up to `rows_max` rows of one of `segments` segments, strongly consistent: 1 read unit per 4 KB.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn segment_page(
        &self,
        (segment, segments): (u32, u32),
        start: Option<Uuid>,
        rows_max: i32,
    ) -> Result<RawPage, Failure> {
        let doing = || format!("scan segment {segment} of {segments} of {}", self.table);
        let start = start.map(|id| RawRow::from([key(id)]));
        let scan = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .segment(i32::try_from(segment).unwrap_or(i32::MAX))
            .total_segments(i32::try_from(segments).unwrap_or(i32::MAX))
            .limit(rows_max)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_exclusive_start_key(start);
        let page = scan.send().await.map_err(|cause| Failure::aws(doing(), cause))?;
        let next = page.last_evaluated_key.map(|key| {
            id_of(&key).ok_or_else(|| Failure::broken(doing(), "the key of the last row is no id"))
        });
        Ok(RawPage {
            rows: page.items.unwrap_or_default(),
            read_units: page.consumed_capacity.and_then(|used| used.capacity_units).unwrap_or_default(),
            next: next.transpose()?,
        })
    }

    /// Reads the rows with these ids, strongly consistent. Missing rows are left out.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn raw(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, RawRow>, Failure> {
        let doing = format!("read {} rows of {}", ids.len(), self.table);
        let keys = ids.iter().map(|id| RawRow::from([key(*id)])).collect();
        let rows = batch::get(&self.client, &self.table, keys, &doing).await?;
        Ok(rows.into_iter().filter_map(|row| Some((id_of(&row)?, row))).collect())
    }
}

/// The id of a stored row; `None` if its key is no id.
#[must_use]
pub fn id_of(row: &RawRow) -> Option<Uuid> {
    row.get("id")?.as_s().ok()?.parse().ok()
}

/// The number of the last event that a stored row shows; 0 for an item that is no row.
#[must_use]
pub fn seq_of(row: &RawRow) -> u64 {
    row.get("seq").and_then(|seq| seq.as_n().ok()?.parse().ok()).unwrap_or_default()
}

/// The read units of looking up a row by its key, strongly consistent: 1 per 4 KB, and 1 for a missing one.
#[must_use]
pub fn read_units(row: Option<&RawRow>) -> f64 {
    row.map_or(1, |row| size(row).div_ceil(4_096).max(1)) as f64
}
