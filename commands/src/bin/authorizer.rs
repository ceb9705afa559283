//! The lambda `authorizer`: finds the principal of a request.

use infra::{function::AUTHORIZER, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = lambda::backend(&AUTHORIZER).await?;
    lambda::authorizer(async |header| commands::authorizer::authorize(&backend, header).await).await
}
