//! Texts by SNS.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sns::{Client, config::Builder, error::BuildError, types::MessageAttributeValue};
use schema::{sealed::Personal, value::Phone};

use super::{
    SendError, Text, TextSettings,
    answer::{once, turned_away, within},
};
use crate::failure::Failure;

#[derive(Clone)]
pub struct SnsTexter {
    sending: Client,
    asking: Client,
    settings: TextSettings,
}

impl SnsTexter {
    #[must_use]
    pub fn new(sdk: &SdkConfig, settings: TextSettings, timeout: Duration) -> Self {
        let sending = Builder::from(sdk).retry_config(once()).timeout_config(within(timeout)).build();
        Self { sending: Client::from_conf(sending), asking: Client::new(sdk), settings }
    }

    pub(super) async fn send(&self, text: &Text) -> Result<String, SendError> {
        let malformed = |_| SendError::Refused { code: "malformed".into() };
        let mut call = self.sending.publish().phone_number(text.to.clear()).message(&text.body);
        // Transactional texts go out first and at any hour. The account's default type may be another.
        call = call.message_attributes("AWS.SNS.SMS.SMSType", attribute("Transactional").map_err(malformed)?);
        if let Some(sender_id) = &self.settings.sender_id {
            call = call.message_attributes("AWS.SNS.SMS.SenderID", attribute(sender_id).map_err(malformed)?);
        }
        let answer = call.send().await.map_err(|cause| turned_away(cause, &[]))?;
        Ok(answer.message_id.unwrap_or_default())
    }

    /// Asks SNS whether the number has opted out. SNS accepts a text to such a number without an error.
    pub(super) async fn is_opted_out(&self, phone: &Phone) -> Result<bool, Failure> {
        let doing = "ask whether a number takes texts";
        let asked = self.asking.check_if_phone_number_is_opted_out().phone_number(phone.clear()).send().await;
        // The error message of SNS may contain the number, so only the code is passed on.
        match asked.map_err(|cause| turned_away(cause, &[])) {
            Ok(answer) => Ok(answer.is_opted_out),
            // SNS does not accept the number as one. The send will be refused with the reason.
            Err(SendError::Refused { code }) if code == "InvalidParameter" => Ok(false),
            Err(SendError::Refused { code }) => Err(Failure::broken(doing, code)),
            Err(SendError::Busy { code }) => Err(Failure::passing(doing, code)),
            Err(SendError::Unanswered { .. }) => Err(Failure::passing(doing, "no answer")),
        }
    }
}

fn attribute(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}
