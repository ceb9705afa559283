//! Reads due rows by the index `due`, which all read models with duties share.

use aws_sdk_dynamodb::types::AttributeValue;
use schema::{Time, UserId, table::Table};
use uuid::Uuid;

use super::{Place, Rows};
use crate::failure::Failure;

/// A row in the index `due`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct DueRow {
    /// Key of the row, and id of its stream.
    pub id: Uuid,
    /// The account it belongs to.
    pub tenant: UserId,
    /// When it falls due.
    pub due_at: Time,
}

/// Which end of the index `due` is read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueFirst {
    Oldest,
    Newest,
}

impl Rows {
    /// Rows of a table that fall due from `from` to `to`, under one key of the index `due`: up to `limit` in
    /// the order asked for, and where the rest begins. Eventually consistent: half a read unit per 4 KB.
    ///
    /// # Errors
    /// As [`Rows::page`].
    pub async fn due(
        &self,
        table: Table,
        due_in: &str,
        (from, to): (Time, Time),
        first: DueFirst,
        limit: usize,
        start: Option<Place>,
    ) -> Result<(Vec<DueRow>, Option<Place>), Failure> {
        let query = self
            .client
            .query()
            .table_name(table.name(&self.prefix))
            .index_name("due")
            .scan_index_forward(first == DueFirst::Oldest)
            .key_condition_expression("#in = :in AND #at BETWEEN :from AND :to")
            .expression_attribute_names("#in", "due_in")
            .expression_attribute_names("#at", "due_at")
            .expression_attribute_values(":in", AttributeValue::S(due_in.to_owned()))
            .expression_attribute_values(":from", AttributeValue::S(from.to_string()))
            .expression_attribute_values(":to", AttributeValue::S(to.to_string()));
        self.pages(format!("read what is due in {}", table.suffix), query, limit, start).await
    }
}
