//! The lambda `accounts`: registration, sign-in, and commands of owners on their accounts.

use infra::{function::ACCOUNTS, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = lambda::backend(&ACCOUNTS).await?;
    lambda::http(async |request| commands::accounts::handle(&backend, request).await).await
}
