//! Mails and texts on their way out: by SES and SNS, or into a directory.
//!
//! Neither SES nor SNS takes an idempotency key, so a send is made exactly once: what became of it is said as it is, also when
//! that is "nobody knows".

mod outbox;
mod pace;
mod ses;
mod sns;

use std::{env, error::Error, io, path::PathBuf, time::Duration};

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use schema::{
    StreamId,
    value::{Email, Phone},
};

use self::pace::Pace;
pub use self::{
    outbox::{Entry, Outbox},
    ses::SesMailer,
    sns::SnsTexter,
};
use crate::{aws, clock::Clock, failure::Failure};

/// The longest that one send may take.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends in a second, by one process, when nothing else is said: below what a new account of SES may.
const SENDS_PER_SECOND: u32 = 10;

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

/// Why a message was not sent, or may not have been. The codes are the carrier's, and name nobody.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It was not taken, and never will be.
    #[error("refused: {code}")]
    Refused {
        /// Why.
        code: String,
    },
    /// It was not taken, and may be later.
    #[error("not now: {code}")]
    Busy {
        /// Why.
        code: String,
    },
    /// Nobody can say whether it was taken.
    #[error("no answer")]
    Unanswered {
        /// What happened instead.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
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

/// Settings of mails and texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessengerConfig {
    /// SES, and from whom mails are: `WAITLIST_MAIL_FROM`, `WAITLIST_MAIL_CONFIGURATION_SET`. None: the outbox.
    pub mail: Option<MailSettings>,
    /// SNS, and as whom texts are: `WAITLIST_SMS_SENDER_ID`. None: the outbox.
    pub texts: Option<TextSettings>,
    /// The directory of what nobody carries: `WAITLIST_OUTBOX_DIR`.
    pub outbox: PathBuf,
    /// Sends in a second, by this process: `WAITLIST_SENDS_PER_SECOND`.
    pub sends_per_second: u32,
    /// The longest that one send may take.
    pub timeout: Duration,
}

/// Settings of mails by SES.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// From whom: `Waitlist <hello@example.com>`.
    pub from: String,
    /// What decides which events of a mail are reported, and to whom.
    pub configuration_set: Option<String>,
}

/// Settings of texts by SNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextSettings {
    /// What stands in place of a number, where that is allowed.
    pub sender_id: Option<String>,
}

impl MessengerConfig {
    /// From the environment, as a lambda starts: SES and SNS, unless `WAITLIST_OUTBOX_DIR` is set.
    ///
    /// # Errors
    /// A variable is missing or wrong: the message names it.
    pub fn from_env() -> Result<Self, Failure> {
        match env::var_os("WAITLIST_OUTBOX_DIR") {
            Some(outbox) => Self::outbox(outbox.into()),
            None => Ok(Self { mail: Some(mail_settings()?), texts: Some(text_settings()?), ..Self::outbox(PathBuf::new())? }),
        }
    }

    /// Of the local server: what AWS's own variables name an endpoint for is carried there, the rest goes into the outbox.
    ///
    /// # Errors
    /// A variable is missing or wrong: the message names it.
    pub fn local(outbox: PathBuf) -> Result<Self, Failure> {
        let is_set = |name| env::var_os(name).is_some();
        Ok(Self {
            mail: is_set("AWS_ENDPOINT_URL_SESV2").then(mail_settings).transpose()?,
            texts: is_set("AWS_ENDPOINT_URL_SNS").then(text_settings).transpose()?,
            ..Self::outbox(outbox)?
        })
    }

    fn outbox(outbox: PathBuf) -> Result<Self, Failure> {
        Ok(Self { mail: None, texts: None, outbox, sends_per_second: sends_per_second()?, timeout: SEND_TIMEOUT })
    }
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

fn mail_settings() -> Result<MailSettings, Failure> {
    let from = env::var("WAITLIST_MAIL_FROM").map_err(|_| wrong("set WAITLIST_MAIL_FROM to the address that mails are from"))?;
    let address = match from.split_once('<') {
        Some((_, address)) => address.strip_suffix('>').unwrap_or_default(),
        None => from.as_str(),
    };
    if Email::parse(address).is_err() || from.contains(char::is_control) {
        return Err(wrong("WAITLIST_MAIL_FROM must be one address, such as hello@example.com or Waitlist <hello@example.com>"));
    }
    let configuration_set = env::var("WAITLIST_MAIL_CONFIGURATION_SET").ok();
    // https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateConfigurationSet.html
    let is_one = |set: &String| (1..=64).contains(&set.len()) && set.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if configuration_set.as_ref().is_some_and(|set| !is_one(set)) {
        return Err(wrong("WAITLIST_MAIL_CONFIGURATION_SET must be the name of one: 1 to 64 letters, digits, _ and -"));
    }
    Ok(MailSettings { from, configuration_set })
}

fn text_settings() -> Result<TextSettings, Failure> {
    let sender_id = env::var("WAITLIST_SMS_SENDER_ID").ok();
    // https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html
    let is_one = |id: &String| {
        (1..=11).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric()) && id.chars().any(|c| c.is_ascii_alphabetic())
    };
    if sender_id.as_ref().is_some_and(|id| !is_one(id)) {
        return Err(wrong("WAITLIST_SMS_SENDER_ID must be 1 to 11 letters and digits, at least one of them a letter"));
    }
    Ok(TextSettings { sender_id })
}

fn sends_per_second() -> Result<u32, Failure> {
    let Ok(text) = env::var("WAITLIST_SENDS_PER_SECOND") else { return Ok(SENDS_PER_SECOND) };
    let sends = text.parse().ok().filter(|sends| (1..=1_000).contains(sends));
    sends.ok_or_else(|| wrong("WAITLIST_SENDS_PER_SECOND must be a whole number from 1 to 1000"))
}

fn wrong(advice: &'static str) -> Failure {
    Failure::broken("read the configuration", advice)
}

/// A send that is repeated after a lost answer is sent twice: the SDK may not do that by itself.
fn once() -> RetryConfig {
    RetryConfig::disabled()
}

fn within(timeout: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(timeout).operation_attempt_timeout(timeout).operation_timeout(timeout).build()
}

/// Status codes from here on say that a request was not taken; and from there on that the fault is the carrier's.
const CLIENT_ERROR: u16 = 400;
const SERVER_ERROR: u16 = 500;
const TOO_MANY_REQUESTS: u16 = 429;
/// The fault is our own: credentials that ran out, or a role that may not send. Nothing is wrong with the message.
const FORBIDDEN: u16 = 403;

/// What an answer that is no success means. `passing` are the codes of refusals that end by themselves.
fn turned_away<E>(cause: SdkError<E>, passing: &[&str]) -> SendError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = match &cause {
        // Below, it says that all is well, in words that cannot be read: it may well have been taken.
        SdkError::ServiceError(answered) if answered.raw().status().as_u16() >= CLIENT_ERROR => answered.raw().status().as_u16(),
        // It never left.
        SdkError::ConstructionFailure(_) => return SendError::Refused { code: "malformed".into() },
        SdkError::DispatchFailure(_) if never_connected(&cause) => return SendError::Busy { code: "no-connection".into() },
        _ => return SendError::Unanswered { source: Box::new(cause) },
    };
    let code = cause.code().map_or_else(|| status.to_string(), str::to_owned);
    let throttled = code.contains("Throttl") || code == "RequestLimitExceeded";
    if status >= SERVER_ERROR || [TOO_MANY_REQUESTS, FORBIDDEN].contains(&status) || throttled || passing.contains(&code.as_str()) {
        SendError::Busy { code }
    } else {
        SendError::Refused { code }
    }
}

/// Whether there was nobody to send anything to: then nothing was sent.
fn never_connected(cause: &(dyn Error + 'static)) -> bool {
    use std::io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
    let is_so = |error: &(dyn Error + 'static)| {
        let io = error.downcast_ref::<io::Error>();
        io.is_some_and(|io| matches!(io.kind(), AddrNotAvailable | ConnectionRefused | HostUnreachable | NetworkUnreachable))
    };
    std::iter::successors(Some(cause), |error| (*error).source()).any(is_so)
}
