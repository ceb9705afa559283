//! The lambda `exports`: reads that are recorded before they happen.

use infra::{function::EXPORTS, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = lambda::backend(&EXPORTS).await?;
    lambda::http(async |request| projections::exports::handle(&backend, request).await).await
}
