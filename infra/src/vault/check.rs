//! The check value of the claims key: the item that shows whether stored e-mail claims were made with the key at hand.

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

/// Stores the check value of the first claims key, and compares that of any later one. Costs one write unit.
pub(super) async fn compare(client: &Client, table: &str, value: &str) -> Result<(), VaultError> {
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
    let Err(error) = put else { return Ok(()) };
    let stored = match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(there)) => there.item(),
        _ => return Err(VaultError::Check { cause: aws(error) }),
    };
    match stored.and_then(|item| item.get(CHECK)?.as_s().ok()) {
        Some(stored) if stored == value => Ok(()),
        _ => Err(VaultError::OtherClaims),
    }
}
