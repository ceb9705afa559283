//! Reads many items of one table by their keys.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, KeysAndAttributes},
};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::{clock, failure::Failure};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// DynamoDB's bound on BatchGetItem.
const KEYS_MAX: usize = 100;
const CALLS_AT_ONCE: usize = 4; // a board of 400 parties in one round

/// The most calls for a batch: DynamoDB leaves keys unread when it throttles, and beyond 16 MB.
const ATTEMPTS_MAX: u32 = 6;
/// The longest pause before the second call, doubled before each further one: 1.24 s in all, and half of that on average.
const RETRY_DELAY_MAX_MS: u64 = 40;

/// Reads the items with these keys, strongly consistent. Missing items are left out; the order is unspecified.
///
/// # Errors
/// The table cannot be read, or keeps leaving keys unread.
pub(crate) async fn get(
    client: &Client,
    table: &str,
    keys: Vec<Item>,
    doing: &str,
) -> Result<Vec<Item>, Failure> {
    let batches: Vec<Vec<Item>> = keys.chunks(KEYS_MAX).map(<[Item]>::to_vec).collect();
    stream::iter(batches)
        .map(|batch| get_some(client, table, batch, doing))
        .buffer_unordered(CALLS_AT_ONCE)
        .try_concat()
        .await
}

async fn get_some(
    client: &Client,
    table: &str,
    mut left: Vec<Item>,
    doing: &str,
) -> Result<Vec<Item>, Failure> {
    let mut items = Vec::with_capacity(left.len());
    for attempt in 0..ATTEMPTS_MAX {
        if attempt > 0 {
            clock::pause(Duration::from_millis(RETRY_DELAY_MAX_MS << (attempt - 1))).await;
        }
        let keys = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
        let keys = keys.map_err(|cause| Failure::broken(doing, cause))?;
        let answer = client.batch_get_item().request_items(table, keys).send().await;
        let answer = answer.map_err(|cause| Failure::aws(doing, cause))?;
        items.extend(answer.responses.unwrap_or_default().remove(table).unwrap_or_default());
        left = answer
            .unprocessed_keys
            .unwrap_or_default()
            .remove(table)
            .map(|keys| keys.keys)
            .unwrap_or_default();
        if left.is_empty() {
            return Ok(items);
        }
    }
    Err(Failure::passing(doing, "the table keeps leaving keys unread"))
}
