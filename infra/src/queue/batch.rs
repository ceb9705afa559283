//! Messages as Lambda brings them from a queue, and the answer that says which of them come again.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use futures::{StreamExt as _, stream};
use tracing::warn;

use crate::failure::Failure;

/// Messages of a batch that are handled side by side, so that a slow one does not keep the last waiting past its visibility.
const MESSAGES_AT_ONCE: usize = 8;

/// Handles the body of each message of a batch. Those that fail are named in the answer, in the order they came, and come again
/// until they are dead letters.
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
                    warn!(id, cause = failure.chain(), "a message failed, and comes again");
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
