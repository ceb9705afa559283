//! Claims on e-mail addresses: items that map the keyed hash of an address to the account that signs in with
//! it.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    error::BuildError,
    operation::delete_item::DeleteItemError,
    types::{AttributeValue, Put},
};
use schema::UserId;

use super::error::{VaultError, aws};
use crate::failure::Failure;

const SUBJECT: &str = "subject";
const USER: &str = "user";

fn name(claim: &str) -> AttributeValue {
    AttributeValue::S(format!("email-{claim}"))
}

/// Builds the put that makes a claim. It fails when the address is already claimed.
pub(super) fn put(table: &str, claim: &str, user: UserId) -> Result<Put, BuildError> {
    Put::builder()
        .table_name(table)
        .item(SUBJECT, name(claim))
        .item(USER, AttributeValue::S(user.to_string()))
        .condition_expression("attribute_not_exists(#subject)")
        .expression_attribute_names("#subject", SUBJECT)
        .build()
}

/// Returns the account that holds a claim. Costs one strongly consistent read unit.
pub(super) async fn holder(client: &Client, table: &str, claim: &str) -> Result<Option<UserId>, VaultError> {
    let get = client.get_item().table_name(table).key(SUBJECT, name(claim)).consistent_read(true);
    let answer = get.send().await.map_err(|cause| {
        VaultError::Read(Box::new(Failure::aws("read an e-mail claim from the vault", cause)))
    })?;
    let Some(item) = answer.item else { return Ok(None) };
    user(&item).map(Some).ok_or(VaultError::Claim)
}

/// Deletes a claim if this account holds it. Costs one write unit in either case.
pub(super) async fn release(
    client: &Client,
    table: &str,
    claim: &str,
    user: UserId,
) -> Result<(), VaultError> {
    let delete = client
        .delete_item()
        .table_name(table)
        .key(SUBJECT, name(claim))
        .condition_expression("#user = :user")
        .expression_attribute_names("#user", USER)
        .expression_attribute_values(":user", AttributeValue::S(user.to_string()));
    match delete.send().await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()), // released before, or held by another account
            _ => Err(VaultError::Release { cause: aws(error) }),
        },
    }
}

fn user(item: &HashMap<String, AttributeValue>) -> Option<UserId> {
    item.get(USER)?.as_s().ok()?.parse().ok()
}
