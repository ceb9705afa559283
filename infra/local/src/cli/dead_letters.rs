//! `waitlist dead-letters`: lists, shows and redrives work that failed too often.

use clap::{Args, Subcommand};
use infra::{
    Backend,
    function::Need,
    queue::{DEAD_PAGE_MAX, DeadLetter, Queue, QueueError},
};
use serde_json::{Value, json};

use super::{Failed, deployment::Deployment, print};

/// The most pages read of one queue: ten thousand dead letters.
const PAGES_MAX: usize = 100;

#[derive(Debug, Subcommand)]
pub(super) enum DeadLetters {
    /// List dead letters, one per line: id, queue, sending time, number of attempts, stream and cause.
    List,
    /// Print one dead letter with its cause.
    Show {
        /// Id as shown by `list`.
        id: String,
    },
    /// Send one dead letter, or all, again as new messages.
    Redrive(Redrive),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Redrive {
    /// Id as shown by `list`.
    id: Option<String>,

    /// Redrive every dead letter.
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(deployment: &Deployment, command: &DeadLetters, json: bool) -> Result<(), Failed> {
    let backend = &deployment.backend;
    match command {
        DeadLetters::List => list(backend, json).await,
        DeadLetters::Show { id } => show(backend, id, json).await,
        DeadLetters::Redrive(Redrive { id: Some(id), .. }) => redrive(backend, id, json).await,
        DeadLetters::Redrive(Redrive { id: None, .. }) => redrive_all(backend, json).await,
    }
}

pub(super) const NEEDS: &[Need] = &[Need::Retries, Need::Deliveries, Need::Erasures];

/// The queues that have dead letters, by name.
fn queues(backend: &Backend) -> [(&'static str, &Queue); 3] {
    [("retries", &backend.retries), ("deliveries", &backend.deliveries), ("erasures", &backend.erasures)]
}

async fn list(backend: &Backend, json: bool) -> Result<(), Failed> {
    let letters = all(backend).await?;
    let lines: Vec<String> = letters
        .iter()
        .map(|(queue, letter)| {
            let DeadLetter { id, sent_at, attempts, .. } = letter;
            format!("{id}  {queue}  {sent_at}  {attempts} attempts  {}", about(letter))
        })
        .collect();
    let text = if lines.is_empty() { "no dead letters".to_owned() } else { lines.join("\n") };
    let items: Vec<Value> = letters.iter().map(|(queue, letter)| shown(queue, letter)).collect();
    Ok(print(json, &text, &json!({ "items": items }))?)
}

async fn show(backend: &Backend, id: &str, json: bool) -> Result<(), Failed> {
    let letters = all(backend).await?;
    let (queue, letter) = letters.iter().find(|(_, letter)| letter.id == id).ok_or_else(|| gone(id))?;
    let value = shown(queue, letter);
    Ok(print(json, &format!("{value:#}"), &value)?)
}

async fn redrive(backend: &Backend, id: &str, json: bool) -> Result<(), Failed> {
    for (queue, letters) in queues(backend) {
        if letters.redrive(id).await? {
            return Ok(print(json, &format!("sent again to {queue}"), &json!({ "redriven": 1 }))?);
        }
    }
    Err(gone(id).into())
}

async fn redrive_all(backend: &Backend, json: bool) -> Result<(), Failed> {
    let mut redriven = 0;
    for (_, queue) in queues(backend) {
        redriven += queue.redrive_all().await?;
    }
    Ok(print(json, &format!("{redriven} sent again"), &json!({ "redriven": redriven }))?)
}

async fn all(backend: &Backend) -> Result<Vec<(&'static str, DeadLetter)>, QueueError> {
    let mut all = Vec::new();
    for (name, queue) in queues(backend) {
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let page = queue.dead_letters(cursor.as_deref(), DEAD_PAGE_MAX).await?;
            all.extend(page.letters.into_iter().map(|letter| (name, letter)));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(all)
}

fn shown(queue: &str, letter: &DeadLetter) -> Value {
    let DeadLetter { id, body, attempts, sent_at } = letter;
    json!({ "id": id, "queue": queue, "attempts": attempts, "sent_at": sent_at, "message": message(body) })
}

/// Returns the body as JSON, or as a string if it is not JSON.
fn message(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|_| Value::from(body))
}

/// Returns the stream and the cause, if the body names them.
fn about(letter: &DeadLetter) -> String {
    let message = message(&letter.body);
    let of = |field: &str| message[field].as_str().map(str::to_owned);
    match (of("stream"), of("cause")) {
        (Some(stream), Some(cause)) => format!("{stream}: {cause}"),
        (Some(stream), None) => stream,
        (None, _) => "not a message of this system".to_owned(),
    }
}

fn gone(id: &str) -> String {
    format!("there is no dead letter {id}; `waitlist dead-letters list` lists them")
}
