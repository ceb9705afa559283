//! The tick lambda: queues, once a minute, the work that is due.

use infra::{function::TICK, lambda};
use reactors::tick::Tick;
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let tick = Tick::new(lambda::backend(&TICK).await?);
    lambda::events(async |_schedule: Value| Ok(json!({ "queued": tick.look().await?.queued }))).await
}
