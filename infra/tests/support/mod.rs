//! What these tests stand on: an engine with empty tables, and a meter on what they cost.

#![allow(dead_code, reason = "each test uses the part it needs")]

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::{
    Client,
    config::{
        BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
        interceptors::{AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut},
    },
    error::BoxError,
    operation::{
        batch_get_item::{BatchGetItemInput, BatchGetItemOutput},
        put_item::{PutItemInput, PutItemOutput},
    },
    types::ReturnConsumedCapacity,
};
use infra::{clock::Clock, tables};
use schema::{Time, table::Table};

/// A Tuesday evening.
pub(crate) fn clock() -> Clock {
    Clock::fixed(Time::from_millis(1_795_000_000_000))
}

/// How many cases a property is tried with, unless PROPTEST_CASES says otherwise.
pub(crate) fn cases(usually: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(usually)
}

/// An engine with one empty table: the one that AWS_ENDPOINT_URL_DYNAMODB names, else one in this process.
pub(crate) struct Engine {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) meter: Meter,
}

impl Engine {
    pub(crate) async fn with(table: Table) -> Self {
        let endpoint = match std::env::var("AWS_ENDPOINT_URL_DYNAMODB") {
            Ok(endpoint) => endpoint,
            Err(_) => in_process().await,
        };
        let meter = Meter::default();
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .endpoint_url(endpoint)
            .interceptor(meter.clone())
            .build();
        let client = Client::from_conf(config);
        let prefix = format!("test-{}", data_encoding::HEXLOWER.encode(&infra::clock::random::<6>()));
        tables::create(&client, &prefix, &[table]).await.unwrap();
        Self { client, table: table.name(&prefix), meter }
    }
}

async fn in_process() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let db = dynoxide::Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_on(listener, db));
    format!("http://{address}")
}

/// Capacity units and calls, as the engine counts them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Mutex<Used>>);

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Used {
    pub(crate) reads: f64,
    pub(crate) writes: f64,
    pub(crate) calls: u32,
}

impl Meter {
    /// What was used since this was last asked.
    pub(crate) fn take(&self) -> Used {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        if let Some(put) = input.downcast_mut::<PutItemInput>() {
            put.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
        } else if let Some(get) = input.downcast_mut::<BatchGetItemInput>() {
            get.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut used = self.0.lock().unwrap();
        used.calls += 1;
        if let Ok(output) = context.output_or_error() {
            if let Some(put) = output.downcast_ref::<PutItemOutput>() {
                used.writes += put.consumed_capacity().and_then(|capacity| capacity.capacity_units).unwrap_or(f64::NAN);
            } else if let Some(get) = output.downcast_ref::<BatchGetItemOutput>() {
                used.reads += get.consumed_capacity().iter().filter_map(|capacity| capacity.capacity_units).sum::<f64>();
            }
        }
        Ok(())
    }
}
