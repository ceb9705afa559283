//! The setup lambda: creates the row tables when a deployment is created or updated.

use infra::{lambda, setup::Setup};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let setup = Setup::from_env().await;
    lambda::events(async |request| Ok(setup.handle(request).await?)).await
}
