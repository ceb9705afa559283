//! Stores in a table how far a consumer has read a shard.

use std::{collections::HashMap, fmt::Display};

use aws_sdk_dynamodb::{error::DisplayErrorContext, types::AttributeValue};
use schema::table::CHECKPOINTS;

use super::Source;

const STREAM: &str = "stream";
const SEQUENCE: &str = "sequence";
const FINISHED: &str = "finished";
/// Stands in place of a shard in the item that holds the stream which a consumer read last.
const LAST_STREAM: &str = "stream";

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
    let item = get(source, consumer, shard).await?;
    let string = |name| item.get(name).and_then(|value| value.as_s().ok());
    if string(STREAM).is_none_or(|of| of != stream) {
        return Ok(Checkpoint::default());
    }
    let finished = item.get(FINISHED).and_then(|value| value.as_bool().ok()).copied().unwrap_or(false);
    Ok(Checkpoint { sequence: string(SEQUENCE).cloned(), finished })
}

/// Loads the ARN of the stream that a consumer read last.
pub(super) async fn last_stream(source: &Source, consumer: &str) -> Result<Option<String>, String> {
    let item = get(source, consumer, LAST_STREAM).await?;
    Ok(item.get(STREAM).and_then(|value| value.as_s().ok()).cloned())
}

/// Stores the ARN of the stream that a consumer reads from now on.
pub(super) async fn save_stream(source: &Source, consumer: &str, stream: &str) -> Result<(), String> {
    save(source, consumer, stream, LAST_STREAM, &Checkpoint::default()).await
}

async fn get(
    source: &Source,
    consumer: &str,
    shard: &str,
) -> Result<HashMap<String, AttributeValue>, String> {
    let request = source.dynamodb.get_item().table_name(&source.checkpoints).consistent_read(true);
    let request = request.key(CHECKPOINTS.hash.0, text(consumer)).key(shard_key(), text(shard));
    Ok(request.send().await.map_err(full_message)?.item.unwrap_or_default())
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
