//! The eraser lambda: carries out erasures.

use infra::{function::ERASER, lambda};
use reactors::erasure::Eraser;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let eraser = Eraser::new(lambda::backend(&ERASER).await?);
    lambda::events(async |event| Ok(eraser.messages(event).await)).await
}
