//! The reactor lambda: queues the intents that follow from the events table's stream.

use infra::{function::REACTOR, lambda};
use reactors::reactor::Reactor;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let reactor = Reactor::new(lambda::backend(&REACTOR).await?);
    lambda::events(async |event| Ok(reactor.records(event).await)).await
}
