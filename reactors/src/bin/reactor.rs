//! The reactor lambda: the events table's stream, for what follows from it outside the log.

use infra::{Backend, lambda};
use reactors::reactor::Reactor;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let reactor = Reactor::new(Backend::from_env().await?);
    lambda::events(async |event| Ok(reactor.records(event).await)).await
}
