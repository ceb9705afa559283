//! The projector lambda: applies the stream of the events table, and parked doorbells.

use infra::{function::PROJECTOR, lambda};
use projections::feed::Feed;

#[tokio::main]
async fn main() -> Result<(), lambda::Error> {
    lambda::start();
    let feed = Feed::new(lambda::backend(&PROJECTOR).await?);
    lambda::events(async |event| feed.handle(event).await).await
}
