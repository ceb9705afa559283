//! Write units of rows, as DynamoDB counts them.

use infra::{log::size, rows::RawRow};
use schema::table::{Index, Projected};

/// The write units of a new row: 1 per KB in its table, and in each index that holds it.
pub(super) fn of_new_row(row: &RawRow, indexes: &[Index]) -> f64 {
    let kilobytes = |bytes: usize| bytes.div_ceil(1_024).max(1) as f64;
    let of_index = |index: &Index| {
        let is_in = row.contains_key(index.hash.0) && row.contains_key(index.range.0);
        match index.projected {
            _ if !is_in => 0.0,
            Projected::All => kilobytes(size(row)),
            Projected::Keys | Projected::Some(_) => 1.0,
        }
    };
    kilobytes(size(row)) + indexes.iter().map(of_index).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use schema::table::WAITEES;

    use super::*;

    #[test]
    fn a_row_costs_a_unit_in_its_table_and_in_each_index_that_holds_it() {
        let row = |json: serde_json::Value| -> RawRow { serde_dynamo::to_item(json).unwrap() };
        let day = serde_json::json!({ "id": "x", "list_day": "l", "arrival": "a" });
        assert_eq!(of_new_row(&row(day), WAITEES.indexes), 2.0);
        let active = serde_json::json!({ "id": "x", "list_day": "l", "arrival": "a", "board": "b", "place": "p", "note": "n".repeat(1_500) });
        assert_eq!(of_new_row(&row(active), WAITEES.indexes), 2.0 + 1.0 + 2.0);
    }
}
