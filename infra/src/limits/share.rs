//! What messages are counted by. A message is counted before it is sent, and given back when it was not sent after all: a crash in
//! between sends too few rather than too many.

use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, types::AttributeValue};
use schema::{
    UserId,
    sealed::Personal,
    value::{Email, Phone},
};

use super::{Bound, DAY_S, Limits, Tries};
use crate::failure::Failure;

/// What a message is counted by: whose, or to whom.
#[derive(Clone, PartialEq, Eq)]
pub struct Share {
    tries: Tries,
    who: String,
    /// Instead of the usual.
    bound: Option<Bound>,
}

impl Share {
    /// A text of an account, which may send so many a day if somebody said so.
    #[must_use]
    pub fn text_of(account: UserId, texts_per_day: Option<u32>) -> Self {
        let bound = texts_per_day.map(|tries| Bound { tries, window_s: DAY_S });
        Self { tries: Tries::TextAccount, who: account.to_string(), bound }
    }

    /// A text to a number.
    #[must_use]
    pub fn text_to(phone: &Phone) -> Self {
        Self { tries: Tries::TextNumber, who: phone.clear().to_owned(), bound: None }
    }

    /// A mail of an account to a guest. One whose address is not confirmed may be anybody, and sends few.
    #[must_use]
    pub fn guest_mail_of(account: UserId, confirmed: bool) -> Self {
        let tries = if confirmed { Tries::GuestMailAccount } else { Tries::GuestMailUnconfirmed };
        Self { tries, who: account.to_string(), bound: None }
    }

    /// A mail to a guest's address.
    #[must_use]
    pub fn guest_mail_to(email: &Email) -> Self {
        Self { tries: Tries::GuestMailAddress, who: email.normalised(), bound: None }
    }
}

/// A message was counted: the item that counts it.
#[derive(Debug)]
pub struct Taken(pub(super) String);

impl Limits {
    /// Counts a message, unless there were too many in this window: what it is given back by.
    ///
    /// # Errors
    /// The table does not answer.
    pub async fn take(&self, share: &Share) -> Result<Option<Taken>, Failure> {
        let Share { tries, who, bound } = share;
        let bound = bound.unwrap_or(self.bounds.of(*tries));
        if bound.tries == 0 {
            return Ok(None);
        }
        Ok(self.count_within(*tries, who, bound).await?.ok())
    }

    /// A message that was counted was not sent after all.
    ///
    /// # Errors
    /// The table does not answer.
    pub async fn give_back(&self, Taken(subject): Taken) -> Result<(), Failure> {
        let back =
            self.client.update_item().table_name(&self.table).key("subject", AttributeValue::S(subject));
        let back =
            back.update_expression("ADD #tries :back").condition_expression("attribute_exists(#tries)");
        let back = back.expression_attribute_names("#tries", "tries");
        match back.expression_attribute_values(":back", AttributeValue::N("-1".into())).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()), // its window is long over
                _ => Err(Failure::aws("give back a count", error)),
            },
        }
    }
}
