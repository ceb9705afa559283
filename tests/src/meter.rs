//! Counts the capacity units that operations use, as the engine reports them, by table and index.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut},
    },
    error::BoxError,
    operation::{
        batch_get_item::{BatchGetItemInput, BatchGetItemOutput},
        delete_item::{DeleteItemInput, DeleteItemOutput},
        get_item::{GetItemInput, GetItemOutput},
        put_item::{PutItemInput, PutItemOutput},
        query::{QueryInput, QueryOutput},
        scan::{ScanInput, ScanOutput},
        transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput},
        update_item::{UpdateItemInput, UpdateItemOutput},
    },
    types::{ConsumedCapacity, ReturnConsumedCapacity},
};

/// Capacity units by `table` or `table/index`, without the deployment's prefix.
pub type Units = BTreeMap<String, f64>;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Used {
    pub reads: Units,
    pub writes: Units,
    /// The number of calls to the engine.
    pub calls: u32,
}

/// Counts the capacity that clients with this interceptor use. Clones share the counts.
#[derive(Clone, Debug)]
pub struct Meter {
    prefix: String,
    used: Arc<Mutex<Used>>,
}

impl Meter {
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self { prefix: format!("{prefix}-"), used: Arc::default() }
    }

    /// Returns the use since the last call.
    #[must_use]
    pub fn take(&self) -> Used {
        std::mem::take(&mut self.used.lock().unwrap())
    }

    fn count(&self, capacity: &ConsumedCapacity, writes: bool) {
        let table = capacity.table_name().unwrap_or_default();
        let table = table.rsplit('/').next().unwrap_or_default();
        let table = table.strip_prefix(&self.prefix).unwrap_or(table).to_owned();
        let mut used = self.used.lock().unwrap();
        let units = if writes { &mut used.writes } else { &mut used.reads };
        let mut add = |name: String, amount: f64| {
            if amount > 0.0 {
                *units.entry(name).or_default() += amount;
            }
        };
        match capacity.table() {
            Some(own) => add(table.clone(), own.capacity_units().unwrap_or_default()),
            None => add(table.clone(), capacity.capacity_units().unwrap_or_default()),
        }
        for (index, capacity) in capacity.global_secondary_indexes().into_iter().flatten() {
            add(format!("{table}/{index}"), capacity.capacity_units().unwrap_or_default());
        }
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
        let wanted = Some(ReturnConsumedCapacity::Indexes);
        if let Some(input) = input.downcast_mut::<PutItemInput>() {
            input.return_consumed_capacity = wanted;
        } else if let Some(input) = input.downcast_mut::<GetItemInput>() {
            input.return_consumed_capacity = wanted;
        } else if let Some(input) = input.downcast_mut::<QueryInput>() {
            input.return_consumed_capacity = wanted;
        } else if let Some(input) = input.downcast_mut::<ScanInput>() {
            input.return_consumed_capacity = wanted;
        } else if let Some(input) = input.downcast_mut::<BatchGetItemInput>() {
            input.return_consumed_capacity = wanted;
        } else if let Some(input) = input.downcast_mut::<UpdateItemInput>() {
            input.return_consumed_capacity = wanted;
        } else if let Some(input) = input.downcast_mut::<DeleteItemInput>() {
            input.return_consumed_capacity = wanted;
        } else if let Some(input) = input.downcast_mut::<TransactWriteItemsInput>() {
            input.return_consumed_capacity = wanted;
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.used.lock().unwrap().calls += 1;
        let Ok(output) = context.output_or_error() else { return Ok(()) };
        if let Some(output) = output.downcast_ref::<PutItemOutput>() {
            output.consumed_capacity().into_iter().for_each(|capacity| self.count(capacity, true));
        } else if let Some(output) = output.downcast_ref::<UpdateItemOutput>() {
            output.consumed_capacity().into_iter().for_each(|capacity| self.count(capacity, true));
        } else if let Some(output) = output.downcast_ref::<DeleteItemOutput>() {
            output.consumed_capacity().into_iter().for_each(|capacity| self.count(capacity, true));
        } else if let Some(output) = output.downcast_ref::<TransactWriteItemsOutput>() {
            output.consumed_capacity().iter().for_each(|capacity| self.count(capacity, true));
        } else if let Some(output) = output.downcast_ref::<GetItemOutput>() {
            output.consumed_capacity().into_iter().for_each(|capacity| self.count(capacity, false));
        } else if let Some(output) = output.downcast_ref::<QueryOutput>() {
            output.consumed_capacity().into_iter().for_each(|capacity| self.count(capacity, false));
        } else if let Some(output) = output.downcast_ref::<ScanOutput>() {
            output.consumed_capacity().into_iter().for_each(|capacity| self.count(capacity, false));
        } else if let Some(output) = output.downcast_ref::<BatchGetItemOutput>() {
            output.consumed_capacity().iter().for_each(|capacity| self.count(capacity, false));
        }
        Ok(())
    }
}
