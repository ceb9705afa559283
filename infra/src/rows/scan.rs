//! Reads whole tables of rows, for checks of every stream.

use schema::projection::Name;
use serde::Deserialize;
use tracing::error;
use uuid::Uuid;

use super::{PAGE_ROWS_MAX, Rows, StartKey};
use crate::failure::Failure;

/// The stream of a row, and the number of the last event that the row shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Showing {
    pub id: Uuid,
    pub seq: u64,
}

impl Rows {
    /// Reads a page of a generation's rows of any version, and the start of the next page. Eventually consistent: half
    /// a read unit per 4 KB of the rows. Items that are no rows are logged and left out.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn scan(
        &self,
        name: Name,
        generation: u64,
        start: Option<StartKey>,
    ) -> Result<(Vec<Showing>, Option<StartKey>), Failure> {
        let scan = self
            .client
            .scan()
            .table_name(name.table_name(&self.prefix, generation))
            .projection_expression("#id, #seq")
            .expression_attribute_names("#id", "id")
            .expression_attribute_names("#seq", "seq")
            .limit(PAGE_ROWS_MAX)
            .set_exclusive_start_key(start);
        let page = scan
            .send()
            .await
            .map_err(|cause| Failure::aws(format!("scan the rows of {}", name.as_str()), cause))?;
        let row = |item| {
            serde_dynamo::from_item(item)
                .inspect_err(
                    |cause| error!(projection = name.as_str(), generation, %cause, "an item is no row"),
                )
                .ok()
        };
        let rows = page.items.unwrap_or_default().into_iter().filter_map(row);
        Ok((rows.collect(), page.last_evaluated_key))
    }
}
