//! How far a consumer has come in a shard, kept where it survives the process.

use std::fmt::Display;

use aws_sdk_dynamodb::{error::DisplayErrorContext, types::AttributeValue};
use schema::table::CHECKPOINTS;

use super::Source;

const STREAM: &str = "stream";
const SEQUENCE: &str = "sequence";
const FINISHED: &str = "finished";

/// A consumer's place in a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Checkpoint {
    /// The last handled record; none yet when absent.
    pub(super) sequence: Option<String>,
    /// Whether the shard is closed and read to its end.
    pub(super) finished: bool,
}

/// The place of `consumer` in `shard`: the beginning, where it has none, or where it has one in an earlier stream of the table.
pub(super) async fn load(
    source: &Source,
    consumer: &str,
    stream: &str,
    shard: &str,
) -> Result<Checkpoint, String> {
    let request = source.dynamodb.get_item().table_name(&source.checkpoints).consistent_read(true);
    let request = request.key(CHECKPOINTS.hash.0, text(consumer)).key(shard_key(), text(shard));
    let item = request.send().await.map_err(said)?.item.unwrap_or_default();
    let string = |name| item.get(name).and_then(|value| value.as_s().ok());
    if string(STREAM).is_none_or(|of| of != stream) {
        return Ok(Checkpoint::default());
    }
    let finished = item.get(FINISHED).and_then(|value| value.as_bool().ok()).copied().unwrap_or(false);
    Ok(Checkpoint { sequence: string(SEQUENCE).cloned(), finished })
}

/// Overwrites it: a shard has one reader per consumer, because the data directory has one process.
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
    request.send().await.map(|_| ()).map_err(said)
}

fn shard_key() -> &'static str {
    CHECKPOINTS.range.map_or("shard", |(name, _)| name)
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn said<E: std::error::Error>(cause: E) -> String {
    let shown: &dyn Display = &DisplayErrorContext(cause);
    shown.to_string()
}
