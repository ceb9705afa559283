//! The tables of a deployment in the embedded engine.

use aws_sdk_dynamodb::Client;
use infra::tables;
use rusqlite::{Connection, OptionalExtension as _, params};
use schema::table::Table;

use super::{Engine, EngineError};

/// The layouts with which a deployment's tables were created or brought up to date.
const LAYOUTS: &str =
    "CREATE TABLE IF NOT EXISTS waitlist_layouts (prefix TEXT PRIMARY KEY, layouts TEXT NOT NULL)";

impl Engine {
    /// Creates the tables that the deployment `prefix` lacks, by a client of this engine, with their indexes.
    ///
    /// For DescribeTable this engine reads all items, which takes half a minute for a million. It is therefore called
    /// only if the file has other tables than these.
    ///
    /// # Errors
    /// As [`tables::create`], and the file cannot be written.
    pub async fn create_tables(
        &self,
        client: &Client,
        prefix: &str,
        tables: &[Table],
    ) -> Result<(), EngineError> {
        let (of, layouts) = (prefix.to_owned(), format!("{tables:?}"));
        let names: Vec<String> = tables.iter().map(|table| table.name(prefix)).collect();
        let wanted = layouts.clone();
        let has =
            self.admin("read the layouts of tables", move |file| has(file, &of, &names, &wanted)).await?;
        if has {
            return Ok(());
        }
        tables::create(client, prefix, tables).await.map_err(Box::new)?;
        let of = prefix.to_owned();
        self.admin("write the layouts of tables", move |file| {
            file.execute("REPLACE INTO waitlist_layouts VALUES (?1, ?2)", params![of, layouts]).map(drop)
        })
        .await
    }
}

/// Whether all tables of these names exist, with these layouts.
fn has(file: &Connection, prefix: &str, names: &[String], layouts: &str) -> rusqlite::Result<bool> {
    file.execute_batch(LAYOUTS)?;
    let mut find = file.prepare("SELECT 1 FROM _tables WHERE table_name = ?1")?;
    for name in names {
        if !find.exists(params![name])? {
            return Ok(false);
        }
    }
    let stored: Option<String> = file
        .query_row("SELECT layouts FROM waitlist_layouts WHERE prefix = ?1", params![prefix], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(stored.as_deref() == Some(layouts))
}
