//! Lists the shards of a stream and selects those that may be read.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::DisplayErrorContext;

use super::Source;

const PAGES_MAX: usize = 1_000; // of up to 100 shards

/// A stream and its shards.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) stream: String,
    pub(super) shards: Vec<Shard>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    pub(super) id: String,
    pub(super) parent: Option<String>,
}

/// Returns the ARN of the table's stream; `None` if it has none.
pub(super) async fn stream(source: &Source) -> Result<Option<String>, String> {
    // Not by DescribeTable, for which the embedded engine reads all items of the table.
    let listed = source.streams.list_streams().table_name(&source.table).send().await;
    let streams = listed.map_err(|cause| DisplayErrorContext(cause).to_string())?.streams.unwrap_or_default();
    let latest = streams.into_iter().max_by(|a, b| a.stream_label.cmp(&b.stream_label));
    Ok(latest.and_then(|latest| latest.stream_arn))
}

/// Lists all shards of the source's stream.
pub(super) async fn list(source: &Source) -> Result<Found, String> {
    let stream = stream(source).await?.ok_or("the table has no stream")?;
    let (mut shards, mut after) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let page = source
            .streams
            .describe_stream()
            .stream_arn(&stream)
            .set_exclusive_start_shard_id(after)
            .send()
            .await;
        let page = page.map_err(|cause| DisplayErrorContext(cause).to_string())?.stream_description;
        let Some(page) = page else { break };
        for shard in page.shards() {
            if let Some(id) = shard.shard_id() {
                shards.push(Shard { id: id.to_owned(), parent: shard.parent_shard_id().map(str::to_owned) });
            }
        }
        after = page.last_evaluated_shard_id;
        if after.is_none() {
            return Ok(Found { stream, shards });
        }
    }
    Err(format!("the description of the stream has more than {PAGES_MAX} pages"))
}

/// Returns the shards to start. A child starts only after its parent was read to the end, so that the changes
/// of an item stay in order. A parent that is not listed has expired with its records.
pub(super) fn ready(
    shards: &[Shard],
    started: &BTreeSet<String>,
    finished: &BTreeSet<String>,
) -> Vec<String> {
    let is_unread =
        |parent: &String| !finished.contains(parent) && shards.iter().any(|shard| shard.id == *parent);
    let ready = shards
        .iter()
        .filter(|shard| !started.contains(&shard.id) && !shard.parent.as_ref().is_some_and(is_unread));
    ready.map(|shard| shard.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: &str, parent: Option<&str>) -> Shard {
        Shard { id: id.to_owned(), parent: parent.map(str::to_owned) }
    }

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_child_shard_starts_after_its_parent_was_read_to_the_end() {
        let family = [shard("child", Some("parent")), shard("parent", Some("expired")), shard("other", None)];
        assert_eq!(ready(&family, &set(&[]), &set(&[])), ["parent", "other"]);
        assert!(ready(&family, &set(&["parent", "other"]), &set(&[])).is_empty());
        assert_eq!(ready(&family, &set(&["parent", "other"]), &set(&["parent"])), ["child"]);
    }
}
