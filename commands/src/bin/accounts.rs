//! The lambda `accounts`: registration, sign-in, and commands of owners on their accounts.

use infra::{Backend, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = Backend::from_env().await?;
    lambda::http(async |request| commands::accounts::handle(&backend, request).await).await
}
