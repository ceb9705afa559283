//! The accounts' lambda: registration, sign-in, and what an account does with itself.

use infra::{Backend, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = Backend::from_env().await?;
    lambda::http(async |request| commands::accounts::handle(&backend, request).await).await
}
