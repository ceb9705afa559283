//! The check value of the claims key: the item that shows whether stored e-mail claims were made with the key at hand.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};

use super::error::{VaultError, aws};

const SUBJECT: &str = "subject";
const CHECK: &str = "check";
/// The item's key.
const CLAIMS: &str = "check-claims";

type Item = HashMap<String, AttributeValue>;

/// Stores the check value of the first claims key, and compares that of any later one. Costs half a read unit, and a write unit
/// as well when no value is found.
pub(super) async fn compare(client: &Client, table: &str, value: &str) -> Result<(), VaultError> {
    let stored = match read(client, table).await? {
        Some(stored) => Some(stored),
        None => put(client, table, value).await?,
    };
    let is_this =
        |item: &Item| item.get(CHECK).and_then(|check| check.as_s().ok()).is_some_and(|check| check == value);
    if stored.as_ref().is_none_or(is_this) { Ok(()) } else { Err(VaultError::OtherClaims) }
}

/// An eventually consistent read is enough: the value never changes, and if it is missed, the put finds it.
async fn read(client: &Client, table: &str) -> Result<Option<Item>, VaultError> {
    let get = client.get_item().table_name(table).key(SUBJECT, AttributeValue::S(CLAIMS.into()));
    let got = get.send().await.map_err(|cause| VaultError::Check { cause: aws(cause) })?;
    Ok(got.item)
}

/// Puts the value unless there is one. Returns the one that there is.
async fn put(client: &Client, table: &str, value: &str) -> Result<Option<Item>, VaultError> {
    let put = client
        .put_item()
        .table_name(table)
        .item(SUBJECT, AttributeValue::S(CLAIMS.into()))
        .item(CHECK, AttributeValue::S(value.into()))
        .condition_expression("attribute_not_exists(#subject)")
        .expression_attribute_names("#subject", SUBJECT)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await;
    let Err(error) = put else { return Ok(None) };
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(there)) => {
            Ok(Some(there.item().cloned().unwrap_or_default()))
        }
        _ => Err(VaultError::Check { cause: aws(error) }),
    }
}
