//! The oldest messages of a queue in a table, without receiving them.

use schema::table::QUEUE;

use super::{
    TableQueue,
    item::{Stored, text},
};
use crate::queue::{DeadLetter, QueueError, Waiting};

impl TableQueue {
    /// Strongly consistent: 1 read unit per 4 KB.
    pub(in crate::queue) async fn oldest(&self, most: usize) -> Result<Vec<Waiting>, QueueError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#queue = :queue")
            .expression_attribute_names("#queue", QUEUE.hash.0)
            .expression_attribute_values(":queue", text(&self.name))
            .consistent_read(true)
            .limit(i32::try_from(most).unwrap_or(i32::MAX));
        let page = query.send().await.map_err(|cause| self.failed("read the oldest messages", cause))?;
        let waiting = |item| self.read(item).map(|Stored { body, sent_at, .. }| Waiting { body, sent_at });
        page.items().iter().map(waiting).collect()
    }

    pub(in crate::queue) async fn oldest_dead(&self, most: usize) -> Result<Vec<Waiting>, QueueError> {
        let page = self.dead_letters(None, most).await?;
        let dead = |DeadLetter { body, sent_at, .. }| Waiting { body, sent_at };
        Ok(page.letters.into_iter().map(dead).collect())
    }
}
