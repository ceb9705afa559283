//! Settings of mails and texts, checked before anything is sent.

use std::{env, path::PathBuf, time::Duration};

use schema::value::Email;

use super::SEND_TIMEOUT;
use crate::failure::Failure;

/// The default of `WAITLIST_SENDS_PER_SECOND`: below the rate that SES allows a new account.
pub const SENDS_PER_SECOND: u32 = 10;

/// Settings of mails and texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessengerConfig {
    /// SES: `WAITLIST_MAIL_FROM` and `WAITLIST_MAIL_CONFIGURATION_SET`. `None`: mails go to the outbox.
    pub mail: Option<MailSettings>,
    /// SNS: `WAITLIST_SMS_SENDER_ID`. `None`: texts go to the outbox.
    pub texts: Option<TextSettings>,
    /// The directory of messages that are not sent: `WAITLIST_OUTBOX_DIR`.
    pub outbox: PathBuf,
    /// The number of messages that one process sends in a second: `WAITLIST_SENDS_PER_SECOND`.
    pub sends_per_second: u32,
    /// The time limit of one send.
    pub timeout: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// The sender: `Waitlist <hello@example.com>`.
    pub from: String,
    /// The SES configuration set, which decides which feedback events are published and where.
    pub configuration_set: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextSettings {
    /// The sender name shown in place of a number, in countries that allow it.
    pub sender_id: Option<String>,
}

impl MessengerConfig {
    /// Reads the settings of a lambda: SES and SNS, or the outbox if `WAITLIST_OUTBOX_DIR` is set.
    ///
    /// # Errors
    /// A variable is missing or wrong; the error names it.
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

    /// Reads the settings of the local server. It sends by SES or SNS if AWS's own variables name an endpoint
    /// for the service; otherwise messages go to the outbox.
    ///
    /// # Errors
    /// A variable is missing or wrong; the error names it.
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
    let is_name = |set: &String| {
        (1..=64).contains(&set.len())
            && set.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    if configuration_set.as_ref().is_some_and(|set| !is_name(set)) {
        return Err(wrong(
            "WAITLIST_MAIL_CONFIGURATION_SET must be the name of a configuration set: 1 to 64 letters, digits, _ and -",
        ));
    }
    Ok(MailSettings { from, configuration_set })
}

fn text_settings() -> Result<TextSettings, Failure> {
    let sender_id = env::var("WAITLIST_SMS_SENDER_ID").ok();
    // https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html
    let is_sender_id = |id: &String| {
        (1..=11).contains(&id.len())
            && id.chars().all(|c| c.is_ascii_alphanumeric())
            && id.chars().any(|c| c.is_ascii_alphabetic())
    };
    if sender_id.as_ref().is_some_and(|id| !is_sender_id(id)) {
        return Err(wrong(
            "WAITLIST_SMS_SENDER_ID must be 1 to 11 letters and digits, at least one of them a letter",
        ));
    }
    Ok(TextSettings { sender_id })
}

/// Reads `WAITLIST_SENDS_PER_SECOND`.
///
/// # Errors
/// It is not a whole number from 1 to 1000.
pub fn sends_per_second() -> Result<u32, Failure> {
    let Ok(text) = env::var("WAITLIST_SENDS_PER_SECOND") else { return Ok(SENDS_PER_SECOND) };
    let sends = text.parse().ok().filter(|sends| (1..=1_000).contains(sends));
    sends.ok_or_else(|| wrong("WAITLIST_SENDS_PER_SECOND must be a whole number from 1 to 1000"))
}

fn wrong(advice: &'static str) -> Failure {
    Failure::broken("read the configuration", advice)
}
