//! The handler of the setup lambda, a custom resource of CloudFormation: creates the tables that the application
//! manages itself. It may run any number of times, and deletes nothing.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html>

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_smithy_http_client::default_connector;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector as _, HttpConnectorSettings},
    orchestrator::HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use schema::{projection::Name, table::Table};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tracing::{error, info};

use crate::{
    aws,
    clock::Clock,
    config,
    failure::Failure,
    generations::{SET_USE_MAX, Set},
    log::Log,
    tables,
};

/// The time in which CloudFormation must take the answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// A request of CloudFormation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    request_type: RequestType,
    /// The address that takes the answer. It carries its own authorization.
    #[serde(rename = "ResponseURL")]
    response_url: String,
    request_id: String,
    stack_id: String,
    logical_resource_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum RequestType {
    Create,
    Update,
    Delete,
}

impl RequestType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    status: &'static str,
    reason: String,
    /// Always the same: another id would make CloudFormation delete the resource of the old one.
    physical_resource_id: String,
    request_id: String,
    stack_id: String,
    logical_resource_id: String,
}

/// The handler. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Setup {
    client: Client,
    prefix: String,
}

impl Setup {
    pub async fn from_env() -> Self {
        Self { client: Client::new(&aws::config().await), prefix: config::prefix() }
    }

    /// Does what CloudFormation asks for and answers it.
    ///
    /// # Errors
    /// CloudFormation does not take the answer.
    pub async fn handle(&self, request: Request) -> Result<(), Failure> {
        let created = match request.request_type {
            RequestType::Create | RequestType::Update => {
                create_rows(&self.client, &self.prefix).await.map(drop)
            }
            RequestType::Delete => Ok(()), // rows may be needed again
        };
        let failure = created.err().map(|cause| cause.chain());
        match &failure {
            None => info!(request = request.request_type.as_str(), "the row tables are as they should be"),
            Some(cause) => error!(cause, "could not create the row tables"),
        }
        let answer = Answer {
            status: if failure.is_none() { "SUCCESS" } else { "FAILED" },
            reason: failure.unwrap_or_default(),
            physical_resource_id: format!("{}-row-tables", self.prefix),
            request_id: request.request_id,
            stack_id: request.stack_id,
            logical_resource_id: request.logical_resource_id,
        };
        put(&request.response_url, &answer).await
    }
}

/// Creates the tables of rows that the deployment `prefix` lacks: those of each generation with a role, at first
/// generation 0 of each projection. The events table must exist. Returns their names.
///
/// The set of generations is used for [`SET_USE_MAX`] at most, so a table that is deleted because its generation has
/// lost its role meanwhile is not created again.
///
/// # Errors
/// The set of generations cannot be read, or a table cannot be created; a repeat goes on.
pub async fn create_rows(client: &Client, prefix: &str) -> Result<Vec<String>, Failure> {
    let set = Set::read(&Log::new(client.clone(), prefix, Clock::system())).await?;
    let generations =
        |name: Name| set.roles(name).all().map(move |generation| name.table().generation(generation));
    let tables: Vec<Table> = Name::ALL.into_iter().flat_map(generations).collect();
    let doing = "create the row tables";
    timeout(SET_USE_MAX, tables::request_all(client, prefix, &tables))
        .await
        .map_err(|late| Failure::broken(doing, late))?
        .map_err(|cause| Failure::broken(doing, cause))?;
    let completed = tables::complete_all(client, prefix, &tables).await;
    completed.map_err(|cause| Failure::broken(doing, cause))?;
    Ok(tables.iter().map(|table| table.name(prefix)).collect())
}

async fn put(url: &str, answer: &Answer) -> Result<(), Failure> {
    let doing = "answer CloudFormation";
    let body = serde_json::to_vec(answer).map_err(|cause| Failure::broken(doing, cause))?;
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("PUT").map_err(|cause| Failure::broken(doing, cause))?;
    request.set_uri(url).map_err(|cause| Failure::broken(doing, cause))?;
    let connector = default_connector(&HttpConnectorSettings::default(), None)
        .ok_or_else(|| Failure::broken(doing, "this binary was built without TLS"))?;
    let answered = timeout(ANSWER_MAX, connector.call(request)).await;
    let answered = answered.map_err(|cause| Failure::broken(doing, cause))?;
    let status = answered.map_err(|cause| Failure::broken(doing, cause))?.status();
    if status.is_success() {
        return Ok(());
    }
    Err(Failure::broken(doing, format!("its address answered with status {}", status.as_u16())))
}
