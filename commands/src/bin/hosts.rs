//! The lambda `hosts`: commands of a signed-in account on its lists and parties.

use infra::{function::HOSTS, lambda};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = lambda::backend(&HOSTS).await?;
    lambda::http(async |request| commands::hosts::handle(&backend, request).await).await
}
