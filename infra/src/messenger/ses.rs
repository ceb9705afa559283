//! Mails by SES.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sesv2::{
    Client,
    config::Builder,
    error::BuildError,
    types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag},
};
use schema::sealed::Personal;

use super::{
    AUTO_SUBMITTED, Mail, MailSettings, SendError, Tags,
    answer::{once, turned_away, within},
};

const UTF_8: &str = "UTF-8";

/// Refusals that a later attempt may overcome although their HTTP status does not say so: the daily quota is
/// used up, or sending is paused.
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>
const PASSING: [&str; 2] = ["LimitExceededException", "SendingPausedException"];

#[derive(Clone)]
pub struct SesMailer {
    client: Client,
    settings: MailSettings,
}

impl SesMailer {
    #[must_use]
    pub fn new(sdk: &SdkConfig, settings: MailSettings, timeout: Duration) -> Self {
        let config = Builder::from(sdk).retry_config(once()).timeout_config(within(timeout)).build();
        Self { client: Client::from_conf(config), settings }
    }

    pub(super) async fn send(&self, mail: &Mail) -> Result<String, SendError> {
        let malformed = |_| SendError::Refused { code: "malformed".into() };
        let content = EmailContent::builder().simple(message(mail).map_err(malformed)?).build();
        let call = self.client.send_email().from_email_address(&self.settings.from).content(content);
        let call = call.destination(Destination::builder().to_addresses(mail.to.clear()).build());
        let call = call.set_email_tags(Some(tags(&mail.tags).map_err(malformed)?));
        let sent = call.set_configuration_set_name(self.settings.configuration_set.clone()).send().await;
        let answer = sent.map_err(|cause| turned_away(cause, &PASSING))?;
        Ok(answer.message_id.unwrap_or_default())
    }
}

fn message(mail: &Mail) -> Result<Message, BuildError> {
    let content = |data: &str| Content::builder().data(data).charset(UTF_8).build();
    let body = Body::builder().text(content(&mail.text)?).html(content(&mail.html)?).build();
    let (name, value) = AUTO_SUBMITTED;
    let header = MessageHeader::builder().name(name).value(value).build()?;
    Ok(Message::builder().subject(content(&mail.subject)?).body(body).headers(header).build())
}

/// The tags by which SES names the mail in its feedback events.
fn tags(tags: &Tags) -> Result<Vec<MessageTag>, BuildError> {
    let tag = |name: &str, value: &str| MessageTag::builder().name(name).value(value).build();
    Ok(vec![
        tag("stream", &tags.stream.to_string())?,
        tag("message", &tags.message)?,
        tag("kind", tags.kind)?,
    ])
}
