//! `waitlist dead-letters`: lists, shows and redrives work that failed too often.

use clap::{Args, Subcommand};
use infra::{
    Backend,
    dead_letters::{self, About, Found},
    function::Need,
    queue::DeadLetter,
};
use serde_json::{Value, json};

use super::{Failed, deployment::Deployment, print};

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

pub(super) const NEEDS: &[Need] =
    &[Need::Retries, Need::Deliveries, Need::Erasures, Need::Rebuilds, Need::Sweeps];

async fn list(backend: &Backend, json: bool) -> Result<(), Failed> {
    let letters = dead_letters::all(backend).await?;
    let lines: Vec<String> = letters
        .iter()
        .map(|Found { queue, letter }| {
            let DeadLetter { id, sent_at, attempts, .. } = letter;
            format!("{id}  {queue}  {sent_at}  {attempts} attempts  {}", about(letter))
        })
        .collect();
    let text = if lines.is_empty() { "no dead letters".to_owned() } else { lines.join("\n") };
    let items: Vec<Value> = letters.iter().map(shown).collect();
    Ok(print(json, &text, &json!({ "items": items }))?)
}

async fn show(backend: &Backend, id: &str, json: bool) -> Result<(), Failed> {
    let letters = dead_letters::all(backend).await?;
    let value = shown(letters.iter().find(|found| found.letter.id == id).ok_or_else(|| gone(id))?);
    Ok(print(json, &format!("{value:#}"), &value)?)
}

async fn redrive(backend: &Backend, id: &str, json: bool) -> Result<(), Failed> {
    let queue = dead_letters::redrive(backend, id).await?.ok_or_else(|| gone(id))?;
    Ok(print(json, &format!("sent again to {queue}"), &json!({ "redriven": 1 }))?)
}

async fn redrive_all(backend: &Backend, json: bool) -> Result<(), Failed> {
    let redriven = dead_letters::redrive_all(backend).await?;
    Ok(print(json, &format!("{redriven} sent again"), &json!({ "redriven": redriven }))?)
}

fn shown(Found { queue, letter }: &Found) -> Value {
    let DeadLetter { id, body, attempts, sent_at, .. } = letter;
    json!({ "id": id, "queue": queue, "attempts": attempts, "sent_at": sent_at, "message": message(body) })
}

/// Returns the body as JSON, or as a string if it is not JSON.
fn message(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|_| Value::from(body))
}

/// Returns the stream and the cause, if the body names them.
fn about(letter: &DeadLetter) -> String {
    match About::read(&letter.body) {
        About { stream: Some(stream), cause: Some(cause), .. } => format!("{stream}: {cause}"),
        About { stream: Some(stream), cause: None, .. } => stream.to_string(),
        About { stream: None, .. } => "not a message of this system".to_owned(),
    }
}

fn gone(id: &str) -> String {
    format!("there is no dead letter {id}; `waitlist dead-letters list` lists them")
}
