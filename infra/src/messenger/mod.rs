//! Sends e-mails and texts by SES and SNS, or writes them to the outbox directory.
//!
//! Neither SES nor SNS takes an idempotency key, so a send is never repeated here. An answer that got lost is reported as
//! [`SendError::Unanswered`]: the message may have been sent or not.

mod answer;
mod outbox;
mod pace;
mod ses;
mod settings;
mod sns;

use std::time::Duration;

use aws_config::SdkConfig;
use schema::{
    StreamId,
    value::{Email, Phone},
};

use self::pace::Pace;
pub use self::{
    answer::SendError,
    outbox::{Entry, Outbox},
    ses::SesMailer,
    settings::{MailSettings, MessengerConfig, SENDS_PER_SECOND, TextSettings, sends_per_second},
    sns::SnsTexter,
};
use crate::{aws, clock::Clock, failure::Failure};

/// The header that marks a mail as automatic, so that no out-of-office reply comes back. RFC 3834, section 5.
const AUTO_SUBMITTED: (&str, &str) = ("Auto-Submitted", "auto-generated");

/// The time limit of one send.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Identifies a message: as tags at SES, and in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    pub stream: StreamId,
    /// The message within the stream: `table-ready-7`.
    pub message: String,
    pub kind: &'static str,
}

/// An e-mail. It has no `Debug`, so that it cannot be logged.
#[derive(Clone)]
pub struct Mail {
    pub to: Email,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub tags: Tags,
}

/// A text message. It has no `Debug`, so that it cannot be logged.
#[derive(Clone)]
pub struct Text {
    pub to: Phone,
    pub body: String,
    pub tags: Tags,
}

#[derive(Clone)]
pub enum Mailer {
    Ses(SesMailer),
    Outbox(Outbox),
}

impl Mailer {
    /// Sends an e-mail once. Returns the carrier's id for it.
    pub async fn send(&self, mail: &Mail) -> Result<String, SendError> {
        match self {
            Self::Ses(ses) => ses.send(mail).await,
            Self::Outbox(outbox) => outbox.put_mail(mail).await,
        }
    }
}

#[derive(Clone)]
pub enum Texter {
    Sns(SnsTexter),
    Outbox(Outbox),
}

impl Texter {
    /// Sends a text once. Returns the carrier's id for it.
    pub async fn send(&self, text: &Text) -> Result<String, SendError> {
        match self {
            Self::Sns(sns) => sns.send(text).await,
            Self::Outbox(outbox) => outbox.put_text(text).await,
        }
    }

    /// Whether the owner of this number has opted out of texts.
    pub async fn is_opted_out(&self, phone: &Phone) -> Result<bool, Failure> {
        match self {
            Self::Sns(sns) => sns.is_opted_out(phone).await,
            Self::Outbox(_) => Ok(false),
        }
    }
}

/// The carriers of e-mails and texts, and the pace of sending. Clones share the pace.
#[derive(Clone)]
pub struct Messengers {
    pub mailer: Mailer,
    pub texter: Texter,
    pace: Pace,
}

impl Messengers {
    /// # Errors
    /// A variable is missing or wrong; the error names it.
    pub async fn from_env(clock: Clock) -> Result<Self, Failure> {
        Ok(Self::new(&aws::config().await, &MessengerConfig::from_env()?, clock))
    }

    #[must_use]
    pub fn new(sdk: &SdkConfig, config: &MessengerConfig, clock: Clock) -> Self {
        let outbox = || Outbox::new(config.outbox.clone(), clock.clone());
        Self {
            mailer: match &config.mail {
                Some(settings) => Mailer::Ses(SesMailer::new(sdk, settings.clone(), config.timeout)),
                None => Mailer::Outbox(outbox()),
            },
            texter: match &config.texts {
                Some(settings) => Texter::Sns(SnsTexter::new(sdk, settings.clone(), config.timeout)),
                None => Texter::Outbox(outbox()),
            },
            pace: Pace::per_second(config.sends_per_second),
        }
    }

    /// Waits for this process's next turn to send.
    pub async fn turn(&self) {
        self.pace.turn().await;
    }

    /// How many turns to send this process has taken.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.pace.taken()
    }
}
