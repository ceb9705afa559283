//! Creates tables that no template declares: rows in AWS, and every table in the local engine and in tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::{
    Client,
    config::{Builder, StalledStreamProtectionConfig},
    error::{BuildError, DisplayErrorContext, SdkError},
    operation::{
        create_table::CreateTableError, describe_table::DescribeTableError,
        describe_time_to_live::DescribeTimeToLiveError, update_table::UpdateTableError,
        update_time_to_live::UpdateTimeToLiveError,
    },
    types::{
        AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex,
        GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType as Role, Projection, ProjectionType,
        ScalarAttributeType, StreamSpecification, StreamViewType, TableStatus, TimeToLiveSpecification,
        TimeToLiveStatus, builders::ProjectionBuilder,
    },
};
use schema::table::{Index, Key, KeyType, Projected, Table};

const ACTIVE_POLLS_MAX: u32 = 300; // a minute in all; an embedded engine needs one poll, AWS about fifty
const ACTIVE_POLL: Duration = Duration::from_millis(200);

/// The time-out of a call about a whole table. AWS answers within a second. The embedded engine counts a table's items to
/// describe it, and reads the layouts of all tables anew after a change, which can take seconds.
const CALL_MAX: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    #[error("build the request to create table {table}")]
    Layout {
        table: String,
        #[source]
        cause: Box<BuildError>,
    },
    #[error("create table {table}: {}", DisplayErrorContext(cause))]
    Create { table: String, cause: Box<SdkError<CreateTableError>> },
    #[error("add index {index} to table {table}: {}", DisplayErrorContext(cause))]
    Add { table: String, index: &'static str, cause: Box<SdkError<UpdateTableError>> },
    #[error("describe table {table}: {}", DisplayErrorContext(cause))]
    Describe { table: String, cause: Box<SdkError<DescribeTableError>> },
    #[error("enable the expiry of items in table {table}: {}", DisplayErrorContext(cause))]
    Expire { table: String, cause: Box<SdkError<UpdateTimeToLiveError>> },
    #[error("describe the expiry of items in table {table}: {}", DisplayErrorContext(cause))]
    Expires { table: String, cause: Box<SdkError<DescribeTimeToLiveError>> },
    #[error("table {table} is not active after {}; check its status", humantime::format_duration(ACTIVE_POLL * ACTIVE_POLLS_MAX))]
    NotActive { table: String },
}

/// Creates those of `tables` that the deployment `prefix` lacks, and waits until all are active.
///
/// An existing table gets the indexes that it lacks because older code created it, and the expiry of its
/// items if the process that created it ended before enabling that. A table of rows gets no index: only the tables
/// of later generations have it.
///
/// # Errors
/// The engine refuses or does not answer a call, or a table does not become active in time.
pub async fn create(client: &Client, prefix: &str, tables: &[Table]) -> Result<(), TablesError> {
    request_all(client, prefix, tables).await?;
    complete_all(client, prefix, tables).await
}

/// The first half of [`create`]: asks for the tables that are missing.
///
/// # Errors
/// As [`create`].
pub async fn request_all(client: &Client, prefix: &str, tables: &[Table]) -> Result<(), TablesError> {
    for table in tables {
        request(client, &table.name(prefix), table).await?;
    }
    Ok(())
}

/// The second half of [`create`]: waits until the tables are active and have what they need.
///
/// # Errors
/// As [`create`].
pub async fn complete_all(client: &Client, prefix: &str, tables: &[Table]) -> Result<(), TablesError> {
    for table in tables {
        let name = table.name(prefix);
        let there = until_active(client, &name).await?;
        let grows = table.rows_of.is_none();
        for index in table.indexes.iter().filter(|index| grows && !there.contains(index.name)) {
            add(client, &name, table, index).await?;
            until_active(client, &name).await?;
        }
        if let Some(attribute) = table.expiry {
            expire(client, &name, attribute).await?;
        }
    }
    Ok(())
}

/// The settings of a call about a whole table.
pub(crate) fn patient() -> Builder {
    let time_out = TimeoutConfig::builder().operation_timeout(CALL_MAX).operation_attempt_timeout(CALL_MAX);
    Builder::new()
        .timeout_config(time_out.build())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

async fn request(client: &Client, name: &str, table: &Table) -> Result<(), TablesError> {
    let layout = |cause| TablesError::Layout { table: name.to_owned(), cause: Box::new(cause) };
    let mut request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for key in key_attributes(table) {
        request = request.attribute_definitions(definition(key).map_err(layout)?);
    }
    for element in key_schema(table.hash, table.range).map_err(layout)? {
        request = request.key_schema(element);
    }
    for index in table.indexes {
        request = request.global_secondary_indexes(secondary(index).map_err(layout)?);
    }
    if table.streamed {
        let stream =
            StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewImage);
        request = request.stream_specification(stream.build().map_err(layout)?);
    }
    match request.customize().config_override(patient()).send().await {
        Ok(_) => Ok(()),
        Err(cause)
            if cause.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) =>
        {
            Ok(())
        }
        Err(cause) => Err(TablesError::Create { table: name.to_owned(), cause: Box::new(cause) }),
    }
}

/// Returns each key attribute of the table and its indexes once. DynamoDB wants exactly these defined.
fn key_attributes(table: &Table) -> Vec<Key> {
    let of_table = [Some(table.hash), table.range].into_iter().flatten();
    let of_indexes = table.indexes.iter().flat_map(|index| [index.hash, index.range]);
    of_table.chain(of_indexes).collect::<BTreeMap<_, _>>().into_iter().collect()
}

fn definition((name, kind): Key) -> Result<AttributeDefinition, BuildError> {
    let kind = match kind {
        KeyType::S => ScalarAttributeType::S,
        KeyType::N => ScalarAttributeType::N,
    };
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()
}

fn key_schema(hash: Key, range: Option<Key>) -> Result<Vec<KeySchemaElement>, BuildError> {
    [Some((hash, Role::Hash)), range.map(|key| (key, Role::Range))]
        .into_iter()
        .flatten()
        .map(|((name, _), role)| KeySchemaElement::builder().attribute_name(name).key_type(role).build())
        .collect()
}

fn projection(index: &Index) -> ProjectionBuilder {
    match index.projected {
        Projected::All => Projection::builder().projection_type(ProjectionType::All),
        Projected::Keys => Projection::builder().projection_type(ProjectionType::KeysOnly),
        Projected::Some(names) => names
            .iter()
            .fold(Projection::builder().projection_type(ProjectionType::Include), |projection, name| {
                projection.non_key_attributes(*name)
            }),
    }
}

fn secondary(index: &Index) -> Result<GlobalSecondaryIndex, BuildError> {
    GlobalSecondaryIndex::builder()
        .index_name(index.name)
        .set_key_schema(Some(key_schema(index.hash, Some(index.range))?))
        .projection(projection(index).build())
        .build()
}

/// Waits until a table and its indexes are active. Returns the names of the indexes.
async fn until_active(client: &Client, name: &str) -> Result<BTreeSet<String>, TablesError> {
    for _ in 0..ACTIVE_POLLS_MAX {
        match client.describe_table().table_name(name).customize().config_override(patient()).send().await {
            Ok(answer) => {
                let table = answer.table();
                let indexes = table.map(|table| table.global_secondary_indexes()).unwrap_or_default();
                let indexed = indexes
                    .iter()
                    .all(|index| index.index_status().is_none_or(|status| status.as_str() == "ACTIVE"));
                if indexed && table.and_then(|table| table.table_status()) == Some(&TableStatus::Active) {
                    return Ok(indexes
                        .iter()
                        .filter_map(|index| index.index_name().map(str::to_owned))
                        .collect());
                }
            }
            // The node that answers may not know a table yet that was just created.
            Err(cause)
                if cause
                    .as_service_error()
                    .is_some_and(DescribeTableError::is_resource_not_found_exception) => {}
            Err(cause) => {
                return Err(TablesError::Describe { table: name.to_owned(), cause: Box::new(cause) });
            }
        }
        tokio::time::sleep(ACTIVE_POLL).await;
    }
    Err(TablesError::NotActive { table: name.to_owned() })
}

/// Adds an index. The engine fills it from the existing items that have its keys.
async fn add(client: &Client, name: &str, table: &Table, index: &Index) -> Result<(), TablesError> {
    let layout = |cause| TablesError::Layout { table: name.to_owned(), cause: Box::new(cause) };
    let create = CreateGlobalSecondaryIndexAction::builder()
        .index_name(index.name)
        .set_key_schema(Some(key_schema(index.hash, Some(index.range)).map_err(layout)?))
        .projection(projection(index).build());
    let update = GlobalSecondaryIndexUpdate::builder().create(create.build().map_err(layout)?).build();
    let mut request = client.update_table().table_name(name).global_secondary_index_updates(update);
    let keys = [Some(table.hash), table.range, Some(index.hash), Some(index.range)];
    for key in keys.into_iter().flatten().collect::<BTreeMap<_, _>>().into_iter().collect::<Vec<Key>>() {
        request = request.attribute_definitions(definition(key).map_err(layout)?);
    }
    match request.customize().config_override(patient()).send().await {
        Ok(_) => Ok(()),
        // Another process may have done it in between.
        Err(cause)
            if cause.as_service_error().is_some_and(UpdateTableError::is_resource_in_use_exception) =>
        {
            Ok(())
        }
        Err(cause) => {
            Err(TablesError::Add { table: name.to_owned(), index: index.name, cause: Box::new(cause) })
        }
    }
}

async fn expire(client: &Client, name: &str, attribute: &str) -> Result<(), TablesError> {
    if expires(client, name).await? {
        return Ok(()); // DynamoDB refuses a second request
    }
    let layout = |cause| TablesError::Layout { table: name.to_owned(), cause: Box::new(cause) };
    let expiry =
        TimeToLiveSpecification::builder().enabled(true).attribute_name(attribute).build().map_err(layout)?;
    match client.update_time_to_live().table_name(name).time_to_live_specification(expiry).send().await {
        Ok(_) => Ok(()),
        // Another process may have done it in between.
        Err(_) if expires(client, name).await? => Ok(()),
        Err(cause) => Err(TablesError::Expire { table: name.to_owned(), cause: Box::new(cause) }),
    }
}

async fn expires(client: &Client, name: &str) -> Result<bool, TablesError> {
    let described = client.describe_time_to_live().table_name(name).send().await;
    let described =
        described.map_err(|cause| TablesError::Expires { table: name.to_owned(), cause: Box::new(cause) })?;
    let status = described.time_to_live_description.and_then(|description| description.time_to_live_status);
    Ok(matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)))
}
