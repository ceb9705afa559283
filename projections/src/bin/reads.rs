//! The lambda that serves reads.

use infra::{Backend, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = Backend::from_env().await?;
    lambda::http(async |request| projections::handler::handle(&backend, request).await).await
}
