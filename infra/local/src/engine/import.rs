//! Writes many items at once, without records of the table's stream: the reactor must not act on a made-up past.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use dynoxide::{ImportOptions, types};
use tokio::task;

use super::{Engine, EngineError};

/// An item as the SDK represents it.
pub(crate) type Item = HashMap<String, AttributeValue>;

impl Engine {
    /// Puts items into a table, by its full name, all or nothing. Indexes hold them; the stream does not.
    ///
    /// # Errors
    /// The table does not exist, an item does not fit it, or the file cannot be written.
    pub(crate) async fn import(&self, table: String, items: Vec<Item>) -> Result<(), EngineError> {
        let database = self.database.clone();
        let items: Option<Vec<types::Item>> = items.into_iter().map(item).collect();
        let items = items.ok_or(EngineError::UnknownType)?;
        let imported =
            task::spawn_blocking(move || database.import_items(&table, items, ImportOptions::default()));
        imported.await?.map(drop).map_err(EngineError::Import)
    }
}

fn item(item: Item) -> Option<types::Item> {
    item.into_iter().map(|(name, value)| Some((name, attribute(value)?))).collect()
}

/// `None` for a type that the SDK does not know.
fn attribute(value: AttributeValue) -> Option<types::AttributeValue> {
    use types::AttributeValue as Stored;
    Some(match value {
        AttributeValue::S(text) => Stored::S(text),
        AttributeValue::N(digits) => Stored::N(digits),
        AttributeValue::B(blob) => Stored::B(blob.into_inner()),
        AttributeValue::Bool(flag) => Stored::BOOL(flag),
        AttributeValue::Null(null) => Stored::NULL(null),
        AttributeValue::Ss(set) => Stored::SS(set),
        AttributeValue::Ns(set) => Stored::NS(set),
        AttributeValue::Bs(set) => Stored::BS(set.into_iter().map(|blob| blob.into_inner()).collect()),
        AttributeValue::L(list) => Stored::L(list.into_iter().map(attribute).collect::<Option<_>>()?),
        AttributeValue::M(map) => Stored::M(item(map)?),
        _ => return None,
    })
}
