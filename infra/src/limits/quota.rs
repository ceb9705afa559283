//! Daily quotas of messages. A message is counted before it is sent, and the count is taken back when it was not sent: a
//! crash in between sends too few messages rather than too many.

use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, types::AttributeValue};
use schema::{
    UserId,
    sealed::Personal,
    value::{Email, Phone},
};

use super::{Bound, Count, Limits, Tries, bounds::DAY_S};
use crate::failure::Failure;

/// The quota that a message is counted against: its account's or its recipient's.
#[derive(Clone, PartialEq, Eq)]
pub struct Quota {
    tries: Tries,
    who: String,
    /// Replaces the configured bound.
    bound: Option<Bound>,
}

impl Quota {
    /// The texts that an account may send; `texts_per_day` replaces the configured number.
    #[must_use]
    pub fn text_of(account: UserId, texts_per_day: Option<u32>) -> Self {
        let bound = texts_per_day.map(|tries| Bound { tries, window_s: DAY_S });
        Self { tries: Tries::TextAccount, who: account.to_string(), bound }
    }

    /// The texts that a number may receive.
    #[must_use]
    pub fn text_to(phone: &Phone) -> Self {
        Self { tries: Tries::TextNumber, who: phone.clear().to_owned(), bound: None }
    }

    /// The mails that an account may send to guests: few until its own address is confirmed.
    #[must_use]
    pub fn guest_mail_of(account: UserId, confirmed: bool) -> Self {
        let tries = if confirmed { Tries::GuestMailAccount } else { Tries::GuestMailUnconfirmed };
        Self { tries, who: account.to_string(), bound: None }
    }

    /// The mails that a guest's address may receive.
    #[must_use]
    pub fn guest_mail_to(email: &Email) -> Self {
        Self { tries: Tries::GuestMailAddress, who: email.normalised(), bound: None }
    }
}

/// The item in which a message was counted; [`Limits::give_back`] takes the count back.
#[derive(Debug)]
pub struct Counted(pub(super) String);

impl Limits {
    /// Counts a message. Returns `None` when the quota is used up.
    ///
    /// # Errors
    /// The table does not answer.
    pub async fn take(&self, quota: &Quota) -> Result<Option<Counted>, Failure> {
        let Quota { tries, who, bound } = quota;
        let bound = bound.unwrap_or(self.bounds.of(*tries));
        if bound.tries == 0 {
            return Ok(None);
        }
        match self.count_within(*tries, who, bound).await? {
            Count::Counted(counted) => Ok(Some(counted)),
            Count::Full { .. } => Ok(None),
        }
    }

    /// Takes back the count of a message that was not sent.
    ///
    /// # Errors
    /// The table does not answer.
    pub async fn give_back(&self, Counted(subject): Counted) -> Result<(), Failure> {
        let update =
            self.client.update_item().table_name(&self.table).key("subject", AttributeValue::S(subject));
        let update =
            update.update_expression("ADD #tries :back").condition_expression("attribute_exists(#tries)");
        let update = update.expression_attribute_names("#tries", "tries");
        match update.expression_attribute_values(":back", AttributeValue::N("-1".into())).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()), // the item has expired
                _ => Err(Failure::aws("give back a count", error)),
            },
        }
    }
}
