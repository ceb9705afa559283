//! The sweep lambda: compares every row with the log, once a day.

use infra::{config::sweep_read_units, function::SWEEP, lambda};
use sweep::Sweeper;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let read_units = sweep_read_units().map_err(lambda::fatal)?;
    let sweeper = Sweeper::new(lambda::backend(&SWEEP).await?, read_units);
    lambda::events(async |event| sweeper.handle(event).await).await
}
