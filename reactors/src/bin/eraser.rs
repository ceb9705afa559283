//! The eraser lambda: carries out erasures.

use infra::{Backend, lambda};
use reactors::erasure::Eraser;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let eraser = Eraser::new(Backend::from_env().await?);
    lambda::events(async |event| Ok(eraser.messages(event).await)).await
}
