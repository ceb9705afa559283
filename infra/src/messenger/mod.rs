//! Mails and texts on their way out: by SES and SNS, or into a directory.
//!
//! Neither SES nor SNS takes an idempotency key, so a send is made exactly once: what became of it is said as it is, also when
//! that is "nobody knows".

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
    settings::{MailSettings, MessengerConfig, TextSettings},
    sns::SnsTexter,
};
use crate::{aws, clock::Clock, failure::Failure};

/// The header by which a mail says that no person wrote it, so that out-of-office replies and the like are not sent back.
/// RFC 3834, section 5.
const AUTO_SUBMITTED: (&str, &str) = ("Auto-Submitted", "auto-generated");

/// The longest that one send may take.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// What a message is about: its tags at SES, and how the outbox names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// Whom it concerns.
    pub stream: StreamId,
    /// Which message of theirs: `table-ready-7`.
    pub message: String,
    /// What it is for.
    pub kind: &'static str,
}

/// A mail. It is never printed.
#[derive(Clone)]
pub struct Mail {
    /// To whom.
    pub to: Email,
    /// One line.
    pub subject: String,
    /// For readers that show no HTML.
    pub text: String,
    /// For the others.
    pub html: String,
    /// What it is about.
    pub tags: Tags,
}

/// A text. It is never printed.
#[derive(Clone)]
pub struct Text {
    /// To whom.
    pub to: Phone,
    /// What it says.
    pub body: String,
    /// What it is about.
    pub tags: Tags,
}

/// Who carries mails.
#[derive(Clone)]
pub enum Mailer {
    /// SES.
    Ses(SesMailer),
    /// Nobody.
    Outbox(Outbox),
}

impl Mailer {
    /// Sends a mail, once. What the carrier calls it.
    ///
    /// # Errors
    /// It was not taken, or may not have been.
    pub async fn send(&self, mail: &Mail) -> Result<String, SendError> {
        match self {
            Self::Ses(ses) => ses.send(mail).await,
            Self::Outbox(outbox) => outbox.put_mail(mail).await,
        }
    }
}

/// Who carries texts.
#[derive(Clone)]
pub enum Texter {
    /// SNS.
    Sns(SnsTexter),
    /// Nobody.
    Outbox(Outbox),
}

impl Texter {
    /// Sends a text, once. What the carrier calls it.
    ///
    /// # Errors
    /// It was not taken, or may not have been.
    pub async fn send(&self, text: &Text) -> Result<String, SendError> {
        match self {
            Self::Sns(sns) => sns.send(text).await,
            Self::Outbox(outbox) => outbox.put_text(text).await,
        }
    }

    /// Whether whoever has this number wants no texts.
    ///
    /// # Errors
    /// The carrier does not say.
    pub async fn is_opted_out(&self, phone: &Phone) -> Result<bool, Failure> {
        match self {
            Self::Sns(sns) => sns.is_opted_out(phone).await,
            Self::Outbox(_) => Ok(false),
        }
    }
}

/// Who carries what, and how fast. Clones share the pace.
#[derive(Clone)]
pub struct Messengers {
    /// Mails.
    pub mailer: Mailer,
    /// Texts.
    pub texter: Texter,
    pace: Pace,
}

impl Messengers {
    /// From the environment, as a lambda starts.
    ///
    /// # Errors
    /// A variable is missing or wrong: the message names it.
    pub async fn from_env(clock: Clock) -> Result<Self, Failure> {
        Ok(Self::new(&aws::config().await, &MessengerConfig::from_env()?, clock))
    }

    /// From settings.
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
}
