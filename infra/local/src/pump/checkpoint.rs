//! Stores in a table how far a consumer has read a shard.

use std::fmt::Display;

use aws_sdk_dynamodb::{error::DisplayErrorContext, types::AttributeValue};
use schema::table::CHECKPOINTS;

use super::Source;

const STREAM: &str = "stream";
const SEQUENCE: &str = "sequence";
const FINISHED: &str = "finished";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Checkpoint {
    /// The sequence number of the last handled record; `None` before the first.
    pub(super) sequence: Option<String>,
    /// Whether the shard is closed and was read to its end.
    pub(super) finished: bool,
}

/// Loads the checkpoint of `consumer` in `shard`. It is the beginning of the shard if there is none, or if it
/// belongs to an earlier stream of the table.
pub(super) async fn load(
    source: &Source,
    consumer: &str,
    stream: &str,
    shard: &str,
) -> Result<Checkpoint, String> {
    let request = source.dynamodb.get_item().table_name(&source.checkpoints).consistent_read(true);
    let request = request.key(CHECKPOINTS.hash.0, text(consumer)).key(shard_key(), text(shard));
    let item = request.send().await.map_err(full_message)?.item.unwrap_or_default();
    let string = |name| item.get(name).and_then(|value| value.as_s().ok());
    if string(STREAM).is_none_or(|of| of != stream) {
        return Ok(Checkpoint::default());
    }
    let finished = item.get(FINISHED).and_then(|value| value.as_bool().ok()).copied().unwrap_or(false);
    Ok(Checkpoint { sequence: string(SEQUENCE).cloned(), finished })
}

/// Overwrites the checkpoint. There is one reader per shard and consumer, because one process owns the data
/// directory.
pub(super) async fn save(
    source: &Source,
    consumer: &str,
    stream: &str,
    shard: &str,
    checkpoint: &Checkpoint,
) -> Result<(), String> {
    let request = source.dynamodb.put_item().table_name(&source.checkpoints);
    let request = request
        .item(CHECKPOINTS.hash.0, text(consumer))
        .item(shard_key(), text(shard))
        .item(STREAM, text(stream))
        .item(FINISHED, AttributeValue::Bool(checkpoint.finished));
    let sequence = checkpoint.sequence.as_deref().map(text);
    let request = match sequence {
        Some(sequence) => request.item(SEQUENCE, sequence),
        None => request,
    };
    request.send().await.map(|_| ()).map_err(full_message)
}

fn shard_key() -> &'static str {
    CHECKPOINTS.range.map_or("shard", |(name, _)| name)
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn full_message<E: std::error::Error>(cause: E) -> String {
    let shown: &dyn Display = &DisplayErrorContext(cause);
    shown.to_string()
}
