//! Answers calls of DynamoDB's JSON protocol from the database in this process.

use std::{path::Path, sync::Arc};

use dynoxide::{Database, DynoxideError};
use infra::aws::{Answer, Call};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    sync::{Semaphore, watch},
    task,
};

use super::{changes::Changes, error::Trouble};

/// The database handles one call at a time; a second one is held ready. Further calls wait here in order,
/// without blocking a thread, so that many writers cannot delay the readers of the stream.
const CALLS_AT_ONCE: usize = 2;

const OPERATIONS_THAT_WRITE: [&str; 5] =
    ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];

/// The error code of a damaged file. AWS has no such code, so no client retries the call.
const DAMAGED: &str = "EngineDamaged";

/// The database behind DynamoDB's protocol. Clones share it.
#[derive(Clone)]
pub(super) struct Calls {
    database: Database,
    changes: Changes,
    turns: Arc<Semaphore>,
    /// The name of the streamed table as it is written in a request, quotes included.
    streamed: Arc<str>,
    written: watch::Sender<u64>,
}

impl Calls {
    /// `streamed` is the table whose writes are announced.
    pub(super) fn new(database: Database, file: &Path, streamed: &str) -> Self {
        let (turns, streamed) = (Arc::new(Semaphore::new(CALLS_AT_ONCE)), format!("\"{streamed}\"").into());
        Self { database, changes: Changes::new(file), turns, streamed, written: watch::Sender::new(0) }
    }

    /// Returns a counter that changes after each write to the streamed table.
    pub(super) fn written(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }

    /// Answers a call. It is carried out even if the caller has gone away once it has started.
    pub(super) async fn answer(&self, call: Call) -> Answer {
        let Ok(turn) = self.turns.clone().acquire_owned().await else {
            return refusal(&internal("the engine is closed"));
        };
        let calls = self.clone();
        let answered = task::spawn_blocking(move || {
            let _turn = turn;
            calls.answer_blocking(&call)
        });
        answered.await.unwrap_or_else(|lost| refusal(&internal(lost.to_string())))
    }

    /// Answers a call on this thread.
    pub(super) fn answer_blocking(&self, Call { target, body }: &Call) -> Answer {
        let operation = target.split_once('.').map_or("", |(_, operation)| operation);
        let run = || run(&self.database, operation, body);
        let answered = match operation {
            "CreateTable" => self.changes.create(&self.database, body, run),
            "DeleteTable" => self.changes.delete(body, run),
            _ => run(),
        };
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) => return refusal(&error),
        };
        if OPERATIONS_THAT_WRITE.contains(&operation) && self.names_streamed(body) {
            self.written.send_modify(|writes| *writes = writes.wrapping_add(1));
        }
        Answer { status: 200, body: answer }
    }

    /// Whether a request may write to the streamed table. A false positive only wakes the stream's readers
    /// once too often.
    fn names_streamed(&self, body: &[u8]) -> bool {
        let name = self.streamed.as_bytes();
        body.windows(name.len()).any(|window| window == name)
    }
}

fn run(database: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    match operation {
        "CreateTable" => typed(body, |request| database.create_table(request)),
        "DeleteTable" => typed(body, |request| database.delete_table(request)),
        "DescribeTable" => typed(body, |request| database.describe_table(request)),
        "ListTables" => typed(body, |request| database.list_tables(request)),
        "UpdateTable" => typed(body, |request| database.update_table(request)),
        "UpdateTimeToLive" => typed(body, |request| database.update_time_to_live(request)),
        "DescribeTimeToLive" => typed(body, |request| database.describe_time_to_live(request)),
        "PutItem" => typed(body, |request| database.put_item(request)),
        "GetItem" => typed(body, |request| database.get_item(request)),
        "UpdateItem" => typed(body, |request| database.update_item(request)),
        "DeleteItem" => typed(body, |request| database.delete_item(request)),
        "Query" => typed(body, |request| database.query(request)),
        "Scan" => typed(body, |request| database.scan(request)),
        "BatchGetItem" => typed(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => typed(body, |request| database.batch_write_item(request)),
        "TransactGetItems" => typed(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => typed(body, |request| database.transact_write_items(request)),
        "ListStreams" => typed(body, |request| database.list_streams(request)),
        "DescribeStream" => typed(body, |request| database.describe_stream(request)),
        "GetShardIterator" => typed(body, |request| database.get_shard_iterator(request)),
        "GetRecords" => typed(body, |request| database.get_records(request)),
        _ => Err(DynoxideError::ValidationException(format!(
            "the embedded engine has no operation {operation:?}"
        ))),
    }
}

fn typed<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    call: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request = serde_json::from_slice(body)
        .map_err(|cause| DynoxideError::SerializationException(cause.to_string()))?;
    serde_json::to_string(&call(request)?).map_err(|cause| internal(cause.to_string()))
}

fn internal(cause: impl Into<String>) -> DynoxideError {
    DynoxideError::InternalServerError(cause.into())
}

/// Builds DynamoDB's answer for an error. A damaged file gets its own code: for an internal error the SDK
/// would retry, and the API would tell clients to come back later.
fn refusal(error: &DynoxideError) -> Answer {
    if Trouble::of(error) == Trouble::Damaged {
        let message = format!("{error}{}", Trouble::Damaged);
        let body = serde_json::json!({ "__type": format!("waitlist#{DAMAGED}"), "message": message });
        return Answer { status: 400, body: body.to_string() };
    }
    Answer { status: error.status_code(), body: error.to_json() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt as _;
    use schema::table::EVENTS;
    use serde_json::json;

    use super::*;
    use crate::testing::{Backend, temporary};

    #[tokio::test]
    async fn a_write_wakes_the_readers_of_the_stream_although_its_caller_has_gone() {
        let dir = temporary();
        let backend = Backend::start(dir.path()).await;
        let mut written = backend.engine.calls.written();
        let item = json!({ "stream": { "S": "waitee-1" }, "seq": { "N": "1" } });
        let body = json!({ "TableName": EVENTS.name(&backend.prefix), "Item": item }).to_string().into();
        let call = Call { target: "DynamoDB_20120810.PutItem".to_owned(), body };
        // The caller is gone before the answer, unless the engine is faster than this thread.
        let _answer = backend.engine.calls.answer(call).now_or_never();
        tokio::time::timeout(Duration::from_secs(60), written.changed()).await.unwrap().unwrap();
        assert_eq!(backend.sequences().await.len(), 1);
    }
}
