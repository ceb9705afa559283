//! Follows the parts of an export.

use serde_json::Value;
use waitlist_tests::stage::{Answer, Owner};

use super::{EXPORT, events, next};

/// More parts than any test's export has.
const PARTS_MAX: usize = 200;

/// The files of an export, and the answer with the last one.
pub(super) async fn exported(owner: &Owner<'_>, query: &str) -> (Vec<String>, Answer) {
    let mut files = Vec::new();
    let mut path = format!("{EXPORT}?{query}");
    for _ in 0..PARTS_MAX {
        let part = owner.get(&path).await;
        assert_eq!(part.status, 200, "{path}: {part:?}");
        files.push(part.body.as_str().unwrap().to_owned());
        match next(&part) {
            Some(next) => path = next,
            None => return (files, part),
        }
    }
    panic!("the parts do not end: {query}");
}

/// The events of all parts of an export.
pub(super) async fn joined(owner: &Owner<'_>, format: &str, query: &str) -> Vec<Value> {
    let (files, _) = exported(owner, &format!("format={format}&{query}")).await;
    files.iter().flat_map(|file| events(format, file)).collect()
}
