//! The lambda `authorizer`: finds the principal of a request.

use infra::{Backend, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = Backend::from_env().await?;
    lambda::authorizer(async |header| commands::authorizer::authorize(&backend, header).await).await
}
