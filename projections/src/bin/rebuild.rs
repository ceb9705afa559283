//! The rebuild lambda: takes the steps of rebuilds from their queue.

use infra::{function::REBUILD, lambda};
use projections::rebuild::{WORKERS_MAX, Worker};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let worker = Worker::new(lambda::backend(&REBUILD).await?, WORKERS_MAX);
    lambda::events(async |event| Ok(worker.messages(event).await)).await
}
