//! The deliver lambda: carries out the intents about visits, mails and accounts, and records feedback of SES.

use infra::{function::DELIVER, lambda, messenger::Messengers};
use reactors::delivery::Deliver;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let backend = lambda::backend(&DELIVER).await?;
    let messengers = Messengers::from_env(backend.clock.clone()).await.map_err(lambda::fatal)?;
    let deliver = Deliver::new(backend, messengers);
    lambda::events(async |event| Ok(deliver.messages(event).await)).await
}
