//! The lambda `guests`: commands of guests, who have no account.

use infra::{Backend, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = Backend::from_env().await?;
    lambda::http(async |request| commands::guests::handle(&backend, request).await).await
}
