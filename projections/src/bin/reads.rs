//! The lambda that serves reads.

use infra::{function::READS, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = lambda::backend(&READS).await?;
    lambda::http(async |request| projections::handler::handle(&backend, request).await).await
}
