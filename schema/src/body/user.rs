//! An account, as it is shown to its owner.

use serde::Serialize;
use uuid::Uuid;

use crate::Time;

/// The answer to GET /v1/me.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    pub id: Uuid,
    pub email: Option<String>,
    pub name: Option<String>,
    pub email_confirmed: bool,
    pub operator: bool,
    pub registered_at: Time,
    pub welcome: &'static str,
    pub seq: u64,
}
