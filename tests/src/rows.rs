//! The tables of rows that tests look into.

use aws_sdk_dynamodb::Client;
use infra::{Clock, Log, generations};
use schema::table::{DECLARED, ROWS, RowTable, Table};

/// The table that reads of a projection's rows are served from.
///
/// # Panics
/// The log cannot be read.
pub async fn live(dynamodb: &Client, prefix: &str, rows: RowTable) -> Table {
    let log = Log::new(dynamodb.clone(), prefix, Clock::system());
    rows.generation(generations::roles(&log, rows.projection).await.unwrap().live)
}

/// Every table of a deployment, of rows those that reads are served from.
///
/// # Panics
/// The log cannot be read.
pub async fn deployed(dynamodb: &Client, prefix: &str) -> Vec<Table> {
    let rows = futures::future::join_all(ROWS.iter().map(|rows| live(dynamodb, prefix, *rows))).await;
    DECLARED.iter().cloned().chain(rows).collect()
}
