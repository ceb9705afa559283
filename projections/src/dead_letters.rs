//! Routes of dead letters.

use std::time::Duration;

use infra::{
    Backend, Failure,
    dead_letters::{self, About, Found, NAMES, Place},
    http::{Call, Reply},
};
use schema::{
    Problem, StreamId,
    body::{Empty, Page, projection::DeadLetter},
    projection::Name,
};
use tokio::time::timeout;

use crate::cursor::{Kind, foreign};

/// The time for finding a dead letter in SQS. API Gateway gives up after 30 s.
const REDRIVE_MAX: Duration = Duration::from_secs(25);

/// A page of the dead letters of all queues.
pub(crate) async fn list(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [limit, cursor] = call.query(["limit", "cursor"])?;
    let page = Kind::DeadLetters.page(limit, cursor)?;
    let from = page.after.map(|after| place(&after).ok_or_else(foreign)).transpose()?;
    let page = dead_letters::page(backend, from, page.limit).await?;
    let items: Vec<DeadLetter> = page.found.into_iter().map(show).collect::<Result<_, _>>()?;
    let next = page.next.map(|Place { queue, cursor }| {
        Kind::DeadLetters.cursor(&format!("{queue}:{}", cursor.unwrap_or_default()))
    });
    Reply::read(0, &Page { items, next })
}

/// Queues the work of a dead letter again.
pub(crate) async fn redrive(backend: &Backend, call: &Call<'_>) -> Result<Reply, Failure> {
    let [] = call.query([])?;
    call.body::<Empty>()?;
    let id = call.path_id()?.to_string();
    let late = |_| Failure::passing("find a dead letter", "SQS did not return it in time");
    match timeout(REDRIVE_MAX, dead_letters::redrive(backend, &id)).await.map_err(late)?? {
        Some(_) => Ok(Reply::empty(202)),
        None => Err(Problem::not_found().into()),
    }
}

/// Reads the place in a cursor: the queue, a colon, and the queue's own cursor.
fn place(text: &str) -> Option<Place> {
    let (queue, cursor) = text.split_once(':')?;
    let queue = NAMES.into_iter().find(|name| *name == queue)?;
    Some(Place { queue, cursor: Some(cursor.to_owned()).filter(|cursor| !cursor.is_empty()) })
}

fn show(Found { queue, letter }: Found) -> Result<DeadLetter, Failure> {
    let About { stream, seq: _, generation, cause } = About::read(&letter.body);
    let id = letter.id.parse().map_err(|cause| Failure::broken("read the id of a dead letter", cause));
    Ok(DeadLetter {
        id: id?,
        queue,
        stream: stream.map(|stream| stream.to_string()),
        generation: stream.zip(generation).and_then(|(stream, generation)| named(stream, generation)),
        cause,
        attempts: letter.attempts,
        first_at: letter.sent_at,
        last_at: letter.died_at,
    })
}

/// The name of a generation of the projection that folds a stream.
fn named(stream: StreamId, generation: u64) -> Option<String> {
    let of = Name::folding(stream.category)?;
    Some(format!("{}-g{generation}", of.as_str()))
}
