//! The deliver lambda: the queue of what is to be done about visits and accounts, messages to people among it.

use infra::{Backend, lambda, messenger::Messengers};
use reactors::delivery::Deliver;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = Backend::from_env().await?;
    let messengers = Messengers::from_env(backend.clock.clone()).await?;
    let deliver = Deliver::new(backend, messengers);
    lambda::events(async |event| Ok(deliver.messages(event).await)).await
}
