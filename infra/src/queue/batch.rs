//! Handles a batch of messages that Lambda received from a queue.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use futures::{StreamExt as _, stream};
use tracing::warn;

use crate::failure::Failure;

/// How many messages of a batch are handled at once, so that a slow one does not delay the last past its
/// visibility time-out.
pub const MESSAGES_AT_ONCE: usize = 8;

/// Calls `handle` with the body of each message. The response names the messages that failed, in the order of
/// the batch; the queue delivers these again until they become dead letters.
pub async fn each<H, F>(event: SqsEvent, handle: H) -> SqsBatchResponse
where
    H: Fn(String) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    let failed: Vec<String> = stream::iter(event.records)
        .map(|message| {
            let (id, handled) =
                (message.message_id.unwrap_or_default(), handle(message.body.unwrap_or_default()));
            async move {
                handled.await.err().map(|failure| {
                    warn!(
                        id,
                        cause = failure.chain(),
                        "a message could not be handled; the queue will deliver it again"
                    );
                    id
                })
            }
        })
        .buffered(MESSAGES_AT_ONCE)
        .filter_map(async |failed| failed)
        .collect()
        .await;
    let mut response = SqsBatchResponse::default();
    failed.into_iter().for_each(|id| response.add_failure(id));
    response
}
