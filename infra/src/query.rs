//! Selections from an index, in the order of its sort key.

use aws_sdk_dynamodb::{Client, operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use schema::table::Index;

/// Items of one partition of an index.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    pub index: Index,
    /// The value of the partition key.
    pub partition: &'a str,
    pub range: Range<'a>,
    pub order: Order,
}

/// A range of sort keys.
#[derive(Clone, Copy, Debug)]
pub enum Range<'a> {
    All,
    /// Without the bound itself.
    Before(&'a str),
    /// Without the bound itself.
    After(&'a str),
    /// With both bounds.
    Between(&'a str, &'a str),
}

/// The order of sort keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

impl Order {
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

impl<'a> Range<'a> {
    /// The items after `bound`, or all without one.
    #[must_use]
    pub fn after(bound: Option<&'a str>) -> Self {
        bound.map_or(Self::All, Self::After)
    }
}

/// The Query of a selection from the table of this full name.
pub(crate) fn query(client: &Client, table: String, selection: Selection<'_>) -> QueryFluentBuilder {
    let Selection { index, partition, range, order } = selection;
    let (condition, bounds) = match range {
        Range::All => ("#hash = :hash", vec![]),
        Range::Before(high) => ("#hash = :hash AND #range < :high", vec![(":high", high)]),
        Range::After(low) => ("#hash = :hash AND #range > :low", vec![(":low", low)]),
        Range::Between(low, high) => {
            ("#hash = :hash AND #range BETWEEN :low AND :high", vec![(":low", low), (":high", high)])
        }
    };
    let mut query = client
        .query()
        .table_name(table)
        .index_name(index.name)
        .scan_index_forward(order == Order::Ascending)
        .key_condition_expression(condition)
        .expression_attribute_names("#hash", index.hash.0)
        .expression_attribute_values(":hash", AttributeValue::S(partition.to_owned()));
    if !bounds.is_empty() {
        query = query.expression_attribute_names("#range", index.range.0);
    }
    for (name, bound) in bounds {
        query = query.expression_attribute_values(name, AttributeValue::S(bound.to_owned()));
    }
    query
}
