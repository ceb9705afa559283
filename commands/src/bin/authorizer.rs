//! The authorizer lambda: says who asks.

use infra::{Backend, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = Backend::from_env().await?;
    lambda::authorizer(|header| commands::authorizer::authorize(&backend.tokens, &backend.clock, header)).await
}
