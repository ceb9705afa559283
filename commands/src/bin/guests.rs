//! The lambda `guests`: commands of guests, who have no account.

use infra::{function::GUESTS, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = lambda::backend(&GUESTS).await?;
    lambda::http(async |request| commands::guests::handle(&backend, request).await).await
}
