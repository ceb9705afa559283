//! Delivery: carries out the duties of visits, accounts and mails, and records the outcomes.
//!
//! An intent on the queue names a stream only. The duties are read from the log each time, so an intent that
//! arrives twice, late or out of order finds nothing to do, or waits.

mod admit;
mod compose;
mod erased;
pub mod feedback;
mod mail;
mod outcome;
mod send;
mod visit;

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use commands::{
    delivery::{Command, HasAgenda as _},
    mail::Mail,
    recording::record_if,
    user::User,
    waitee::{self, Waitee},
};
use infra::{
    Backend, Failure,
    log::{Aggregate, Read},
    messenger::Messengers,
    telemetry::correlated,
};
use schema::{
    Actor, StreamId, Time, WaiteeId,
    agenda::{Agenda, Duty},
    id::{Category, Component},
    message::{LEASE_MS, MessageId},
};
use tracing::{Instrument as _, info};

use self::{
    compose::{Compose, NotComposed},
    send::{Delivery, send},
};
use crate::{
    intent::{Intent, QueuedIntent, handle_batch},
    reactor,
};

/// The most duties of one stream that are carried out at once: usually a message or two, and the end of a
/// hold.
const DUTIES_MAX: usize = 8;

/// The handler of the deliver lambda.
#[derive(Clone)]
pub struct Deliver {
    backend: Backend,
    messengers: Messengers,
}

impl Deliver {
    pub fn new(backend: Backend, messengers: Messengers) -> Self {
        Self { backend, messengers }
    }

    /// Handles a batch of queue messages: intents, and feedback of SES.
    pub async fn messages(&self, event: SqsEvent) -> SqsBatchResponse {
        let (feedback, intents) = feedback::split(event);
        let mut answer = handle_batch(&self.backend, intents, |queued| self.carry_out(queued)).await;
        answer
            .batch_item_failures
            .extend(feedback::record_all(&self.backend, feedback).await.batch_item_failures);
        answer
    }

    async fn carry_out(&self, queued: QueuedIntent) -> Result<(), Failure> {
        match queued.intent {
            Intent::Attend { stream } => self.attend_as(&queued, stream).await,
            Intent::Clear { stream } if stream.category == Category::Waitee => {
                waitee::system::clear(&self.backend, WaiteeId(stream.id)).await
            }
            Intent::React { stream, seq } => reactor::react_again(&self.backend, stream, seq).await,
            Intent::Clear { .. } | Intent::Forget { .. } => {
                Err(Failure::broken("carry out an intent", "the message is for another queue or stream"))
            }
        }
    }

    /// Carries out the duties of a stream that are due, one after the other. A duty that is due within a
    /// lease's length is queued for that time; later ones are left to the tick.
    ///
    /// # Errors
    /// Something could not be read, sent or recorded: the duty stays due.
    pub async fn attend(&self, stream: StreamId) -> Result<(), Failure> {
        self.attend_as(&Intent::Attend { stream }.into(), stream).await
    }

    async fn attend_as(&self, queued: &QueuedIntent, stream: StreamId) -> Result<(), Failure> {
        match stream.category {
            Category::User => self.attend_to_account(queued, stream).await,
            Category::Mail => self.attend_to::<Mail>(queued, stream).await,
            Category::Waitee => self.attend_to::<Waitee>(queued, stream).await,
            Category::Session | Category::Waitlist | Category::Access | Category::Projection => Ok(()),
        }
    }

    async fn attend_to<A: Compose>(&self, queued: &QueuedIntent, stream: StreamId) -> Result<(), Failure> {
        for _ in 0..DUTIES_MAX {
            let Some(read) = self.backend.log.read::<A>(stream).await? else { return Ok(()) };
            let Some((at, duty)) = read.state.agenda().and_then(Agenda::next) else { return Ok(()) };
            let now = now(&self.backend, &read);
            if at > now {
                return self.queue_again(queued, stream, at.millis() - now.millis()).await;
            }
            let message = duty.message().map(|message| message.to_string());
            info!(%stream, duty = duty.as_str(), message_id = message, "carrying out a duty");
            match duty {
                Duty::Forget => return self.forget(queued, stream).await,
                Duty::Deliver(message) => self.deliver(stream, &read, message, now).await?,
                Duty::NoShow => waitee::system::end_hold(&self.backend, WaiteeId(stream.id)).await?,
                Duty::Expire => waitee::system::expire(&self.backend, WaiteeId(stream.id)).await?,
            }
        }
        let cause = format!("more than {DUTIES_MAX} duties are due");
        Err(Failure::broken(format!("carry out the duties of {stream}"), cause))
    }

    /// Carries out an account's only duty: its erasure.
    async fn attend_to_account(&self, queued: &QueuedIntent, stream: StreamId) -> Result<(), Failure> {
        let Some(read) = self.backend.log.read::<User>(stream).await? else { return Ok(()) };
        match read.state.agenda().and_then(Agenda::next) {
            Some((at, Duty::Forget)) if at <= now(&self.backend, &read) => self.forget(queued, stream).await,
            Some((_, Duty::Forget | Duty::Deliver(_) | Duty::NoShow | Duty::Expire)) | None => Ok(()),
        }
    }

    /// Queues the erasure for the eraser once more.
    async fn forget(&self, queued: &QueuedIntent, stream: StreamId) -> Result<(), Failure> {
        queued.replaced_by(Intent::Forget { stream }).send(&self.backend, Duration::ZERO).await
    }

    /// Sends a message that is due, or records why it is not sent.
    async fn deliver<A: Compose>(
        &self,
        stream: StreamId,
        read: &Read<A>,
        message: MessageId,
        now: Time,
    ) -> Result<(), Failure> {
        let author = read.author_caused_by(message.cause, Actor::System(Component::Delivery));
        let span = correlated(&author.correlation);
        let delivered = async {
            match A::compose(&self.backend, stream, read, message, now).await {
                Ok(composed) => {
                    send(self, &Delivery { stream, message, author, known: read.seq }, &composed).await
                }
                Err(NotComposed::Skip(reason)) => {
                    let skip = Command::Skip { message, attempt: None, reason };
                    let skipped = record_if(&self.backend, stream, &author, &skip, read.seq).await?;
                    if skipped.appended {
                        outcome::count(message, Some(&skip));
                    }
                    Ok(())
                }
                Err(NotComposed::Failed(failure)) => Err(failure),
            }
        };
        delivered.instrument(span).await
    }

    /// Queues the stream again for a duty that is due soon: another process holds the lease, or a retry is
    /// near.
    async fn queue_again(&self, queued: &QueuedIntent, stream: StreamId, in_ms: i64) -> Result<(), Failure> {
        let again = queued.replaced_by(Intent::Attend { stream });
        match u64::try_from(in_ms) {
            Ok(ms) if in_ms <= LEASE_MS => again.send(&self.backend, Duration::from_millis(ms)).await,
            _ => Ok(()),
        }
    }
}

/// The clock's time, but no earlier than the stream's last commit.
fn now<A: Aggregate>(backend: &Backend, read: &Read<A>) -> Time {
    let latest = read.commits.last().map(|commit| commit.at);
    backend.clock.now().max(latest.unwrap_or(Time::from_millis(0)))
}
