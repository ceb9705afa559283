//! Settings of mails and texts. What is wrong is told before anything is sent.

use std::{env, path::PathBuf, time::Duration};

use schema::value::Email;

use super::SEND_TIMEOUT;
use crate::failure::Failure;

/// The default of `WAITLIST_SENDS_PER_SECOND`: below what a new account of SES may send.
pub const SENDS_PER_SECOND: u32 = 10;

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
            None => Ok(Self {
                mail: Some(mail_settings()?),
                texts: Some(text_settings()?),
                ..Self::outbox(PathBuf::new())?
            }),
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
        Ok(Self {
            mail: None,
            texts: None,
            outbox,
            sends_per_second: sends_per_second()?,
            timeout: SEND_TIMEOUT,
        })
    }
}

fn mail_settings() -> Result<MailSettings, Failure> {
    let from = env::var("WAITLIST_MAIL_FROM")
        .map_err(|_| wrong("set WAITLIST_MAIL_FROM to the address that mails are from"))?;
    let address = match from.split_once('<') {
        Some((_, address)) => address.strip_suffix('>').unwrap_or_default(),
        None => from.as_str(),
    };
    if Email::parse(address).is_err() || !address.is_ascii() || from.contains(char::is_control) {
        return Err(wrong(
            "WAITLIST_MAIL_FROM must be one address in ASCII, such as hello@example.com or Waitlist <hello@example.com>",
        ));
    }
    let configuration_set = env::var("WAITLIST_MAIL_CONFIGURATION_SET").ok();
    // https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateConfigurationSet.html
    let is_one = |set: &String| {
        (1..=64).contains(&set.len())
            && set.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    if configuration_set.as_ref().is_some_and(|set| !is_one(set)) {
        return Err(wrong(
            "WAITLIST_MAIL_CONFIGURATION_SET must be the name of one: 1 to 64 letters, digits, _ and -",
        ));
    }
    Ok(MailSettings { from, configuration_set })
}

fn text_settings() -> Result<TextSettings, Failure> {
    let sender_id = env::var("WAITLIST_SMS_SENDER_ID").ok();
    // https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html
    let is_one = |id: &String| {
        (1..=11).contains(&id.len())
            && id.chars().all(|c| c.is_ascii_alphanumeric())
            && id.chars().any(|c| c.is_ascii_alphabetic())
    };
    if sender_id.as_ref().is_some_and(|id| !is_one(id)) {
        return Err(wrong(
            "WAITLIST_SMS_SENDER_ID must be 1 to 11 letters and digits, at least one of them a letter",
        ));
    }
    Ok(TextSettings { sender_id })
}

/// `WAITLIST_SENDS_PER_SECOND`: messages that one process sends in a second at most.
///
/// # Errors
/// It is no such number.
pub fn sends_per_second() -> Result<u32, Failure> {
    let Ok(text) = env::var("WAITLIST_SENDS_PER_SECOND") else { return Ok(SENDS_PER_SECOND) };
    let sends = text.parse().ok().filter(|sends| (1..=1_000).contains(sends));
    sends.ok_or_else(|| wrong("WAITLIST_SENDS_PER_SECOND must be a whole number from 1 to 1000"))
}

fn wrong(advice: &'static str) -> Failure {
    Failure::broken("read the configuration", advice)
}
