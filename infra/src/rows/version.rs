//! Versions of stored rows.

use aws_sdk_dynamodb::types::AttributeValue;
use schema::table::Row;
use uuid::Uuid;

use crate::{batch::Item, failure::Failure};

/// The attributes common to all versions of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) seq: u64,
    /// Version of the fold that wrote it.
    pub(super) v: u32,
}

/// The number of the last event that a stored row shows, and the version of the fold that wrote it. `None` if one of
/// them cannot be read.
#[must_use]
pub fn numbers(item: &Item) -> Option<(u64, u32)> {
    let number =
        |name| item.get(name).and_then(|value: &AttributeValue| value.as_n().ok()?.parse::<u64>().ok());
    Some((number("seq")?, u32::try_from(number("v")?).ok()?))
}

/// Reads the version of a stored row.
///
/// # Errors
/// The item is no row.
pub(super) fn written<R: Row>(item: &Item) -> Result<Written, Failure> {
    let written = numbers(item).map(|(seq, v)| Written { seq, v });
    written.ok_or_else(|| Failure::broken(doing::<R>(item), "it has no seq or no version"))
}

/// Reads a stored row. Its version may differ from that of this code's fold: a release serves rows that the
/// release before it wrote, and during a deployment also those of the next one.
///
/// # Errors
/// The row is older than [`Row::OLDEST`], or no such row.
pub(super) fn read<R: Row>(item: Item) -> Result<R, Failure> {
    let (doing, Written { v, .. }) = (doing::<R>(&item), written::<R>(&item)?);
    if v < R::OLDEST {
        let (oldest, name) = (R::OLDEST, R::TABLE.projection.as_str());
        let advice = format!("its version is {v} and this code reads {oldest} and later; rebuild {name}");
        return Err(Failure::broken(doing, advice));
    }
    serde_dynamo::from_item(item).map_err(|cause| Failure::broken(doing, cause))
}

fn doing<R: Row>(item: &Item) -> String {
    let id: Option<Uuid> = item.get("id").and_then(|id| id.as_s().ok()?.parse().ok());
    format!("read row {} of {}", id.unwrap_or_default(), R::TABLE.projection.as_str())
}
