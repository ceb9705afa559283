//! The delivery of a message as a state machine: which steps are allowed, and the event each leads to.

use schema::{
    Time,
    agenda::Agenda,
    message::{
        Bounce, Bounced, Channel, Entry, Event, Failed, LEASE_MS, MessageId, Sent, Skip, Skipped, Standing,
        Started,
    },
};

/// A state with duties, messages among them.
pub trait HasAgenda {
    fn agenda(&self) -> Option<&Agenda>;
}

/// A step of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Takes the lease, to send the message.
    Start { message: MessageId, channel: Channel },
    /// The carrier accepted the message.
    Sent { message: MessageId, attempt: u32, channel: Channel, provider_id: String },
    /// The carrier refused the message; `for_now` allows another attempt.
    Fail { message: MessageId, attempt: u32, code: String, for_now: bool },
    /// The message is not sent. `attempt` is given by the holder of the lease; without it, the step is valid
    /// only while there is no lease.
    Skip { message: MessageId, attempt: Option<u32>, reason: Skip },
    /// The message is not to be sent any more, even if it is not due yet. An attempt without an outcome becomes unknown.
    Settle { message: MessageId },
    /// The carrier reported the message as undeliverable or unwanted.
    Bounce { message: MessageId, reason: Bounce },
}

impl Command {
    pub fn message(&self) -> MessageId {
        match self {
            Self::Start { message, .. }
            | Self::Sent { message, .. }
            | Self::Fail { message, .. }
            | Self::Skip { message, .. }
            | Self::Settle { message }
            | Self::Bounce { message, .. } => *message,
        }
    }
}

/// The event that a step leads to; `None` when it is not allowed, or a repetition. A message is started only
/// while it is due and `wanted`: of several concurrent senders one gets the lease.
pub(crate) fn decide(
    agenda: &Agenda,
    command: &Command,
    wanted: impl Fn(MessageId) -> bool,
    now: Time,
) -> Option<Event> {
    let entry = |message: &MessageId| agenda.messages.entry(*message);
    match command {
        Command::Start { message, channel } => {
            let entry = entry(message).filter(|entry| is_due(agenda, entry, now) && wanted(*message))?;
            let until = now.plus_millis(LEASE_MS);
            Some(Event::Started(Started {
                message: *message,
                attempt: entry.attempt + 1,
                channel: *channel,
                until,
            }))
        }
        Command::Sent { message, attempt, channel, provider_id } => {
            entry(message).filter(|entry| entry.standing != Standing::Sent { by: *attempt })?;
            Some(Event::Sent(Sent {
                message: *message,
                attempt: *attempt,
                channel: *channel,
                provider_id: provider_id.clone(),
            }))
        }
        Command::Fail { message, attempt, code, for_now } => {
            entry(message).filter(|entry| is_held_by(entry, *attempt))?;
            let may_retry = *for_now && agenda.erased_at.is_none();
            let again_at = if may_retry { message.kind.again_at(*attempt, now) } else { None };
            Some(Event::Failed(Failed { message: *message, attempt: *attempt, code: code.clone(), again_at }))
        }
        Command::Skip { message, attempt: Some(attempt), reason } => {
            entry(message).filter(|entry| is_held_by(entry, *attempt))?;
            Some(Event::Skipped(Skipped { message: *message, attempt: Some(*attempt), why: *reason }))
        }
        Command::Skip { message, attempt: None, reason } => {
            entry(message).filter(|entry| is_due(agenda, entry, now))?;
            Some(Event::Skipped(Skipped { message: *message, attempt: None, why: *reason }))
        }
        Command::Settle { message } => {
            entry(message).filter(|entry| agenda.erased_at.is_none() && entry.due_at().is_some())?;
            Some(Event::Skipped(Skipped { message: *message, attempt: None, why: Skip::Late }))
        }
        Command::Bounce { message, reason } => {
            entry(message)
                .filter(|entry| entry.attempt > 0 && !matches!(entry.standing, Standing::Bounced { .. }))?;
            Some(Event::Bounced(Bounced { message: *message, why: *reason }))
        }
    }
}

/// Whether an attempt may begin now. After an erasure none may.
fn is_due(agenda: &Agenda, entry: &Entry, now: Time) -> bool {
    agenda.erased_at.is_none() && entry.due_at().is_some_and(|at| at <= now)
}

/// Whether this attempt holds the lease. It still does when the lease has expired, while no other attempt has
/// begun.
fn is_held_by(entry: &Entry, attempt: u32) -> bool {
    entry.attempt == attempt && matches!(entry.standing, Standing::Started { .. })
}
