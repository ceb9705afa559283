//! The lambda `operations`: rebuilds of projections and dead letters, for operators.

use infra::{function::OPERATIONS, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = lambda::backend(&OPERATIONS).await?;
    lambda::http(async |request| projections::operations::handle(&backend, request).await).await
}
