use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128)
}

fn row(number: usize) -> RawRow {
    serde_dynamo::to_item(serde_json::json!({ "id": id(number) })).unwrap()
}

/// The rows of one table that are found by the ids of others.
fn found(rows: &HashMap<Uuid, RawRow>, has: impl Fn(usize) -> bool) -> HashMap<Uuid, RawRow> {
    let numbers = rows.keys().map(|id| usize::try_from(id.as_u128()).unwrap());
    numbers.filter(|number| has(*number)).map(|number| (id(number), row(number))).collect()
}

#[derive(Clone, Debug)]
struct Scans {
    /// Whether each stream has a live row and a row of the candidate.
    streams: Vec<(bool, bool)>,
    /// The orders of the two tables.
    orders: [Vec<usize>; 2],
    /// Pages of so many rows of each table, or look-ups.
    steps: Vec<Option<(usize, usize)>>,
}

fn scans() -> impl Strategy<Value = Scans> {
    prop::collection::vec(any::<(bool, bool)>(), 0..30).prop_flat_map(|streams| {
        let order = Just((0..streams.len()).collect::<Vec<_>>()).prop_shuffle();
        let steps = prop::collection::vec(prop::option::weighted(0.8, (0..5usize, 0..5usize)), 0..20);
        let orders = [order.clone(), order];
        (Just(streams), orders, steps).prop_map(|(streams, orders, steps)| Scans { streams, orders, steps })
    })
}

proptest! {
    #[test]
    fn each_stream_with_a_row_comes_once_with_both_rows_in_any_order_of_the_scans(
        Scans { streams, orders: [live, candidate], steps } in scans(),
    ) {
        let mut live = live.into_iter().filter(|number| streams[*number].0).map(row).collect::<Vec<_>>();
        let mut candidate: Vec<RawRow> =
            candidate.into_iter().filter(|number| streams[*number].1).map(row).collect();
        let (mut alone, mut pairs) = (Alone::default(), Vec::new());
        let ends = [Some((live.len(), candidate.len())), None];
        for step in steps.into_iter().chain(ends) {
            pairs.extend(match step {
                Some((of_live, of_candidate)) => {
                    let of_live = live.split_off(live.len().saturating_sub(of_live));
                    let of_candidate = candidate.split_off(candidate.len().saturating_sub(of_candidate));
                    alone.pair(of_live, of_candidate)
                }
                None => {
                    let alone = mem::take(&mut alone);
                    let candidates = found(&alone.live, |number| streams[number].1);
                    let lives = found(&alone.candidate, |number| streams[number].0);
                    alone.looked_up(lives, candidates)
                }
            });
        }
        let count = pairs.len();
        let shown: BTreeMap<Uuid, (bool, bool)> = pairs
            .into_iter()
            .map(|(id, rows)| (id, (rows.live.is_some(), rows.candidate.is_some())))
            .collect();
        prop_assert_eq!(count, shown.len(), "a stream came twice");
        let with_rows = streams.into_iter().enumerate().filter(|(_, (live, candidate))| *live || *candidate);
        prop_assert_eq!(shown, with_rows.map(|(number, has)| (id(number), has)).collect());
    }
}
