//! Stored rows stay readable: those of the current version and of the one before, by key and by every index. Each
//! has a golden file, which no test overwrites. A new version gets a new file; an existing file must not be changed.

use std::{fs, path::PathBuf};

use infra::{
    Rows,
    rows::{Order, Range, Selection},
};
use projections::{
    mails::Mails, projection::Projection, users::Users, waitees::Waitees, waitlists::Waitlists,
};
use schema::table::{Projected, Row};
use serde_json::Value;
use waitlist_tests::stage::Stage;

#[tokio::test]
async fn rows_of_this_version_and_the_one_before_are_read_by_key_and_by_every_index() {
    let stage = Stage::new().await;
    let read = [
        of::<Waitees>(&stage).await,
        of::<Waitlists>(&stage).await,
        of::<Users>(&stage).await,
        of::<Mails>(&stage).await,
    ];
    assert_eq!(files("").len(), read.iter().sum::<usize>(), "each file is of a known projection and version");
}

/// Checks the files of one projection. Returns their number.
async fn of<P: Projection>(stage: &Stage) -> usize
where
    P::Row: PartialEq + std::fmt::Debug,
{
    let (name, oldest) = (P::Row::TABLE.projection.as_str(), P::Row::OLDEST);
    assert!(oldest < P::VERSION || P::VERSION == 1, "{name} reads rows of the version before");
    let mut read = 0;
    for v in oldest..=P::VERSION {
        let wanted = format!("{name}.v{v}.");
        let files = files(&wanted);
        assert!(!files.is_empty(), "golden_rows/{wanted}json is missing: the stored form of a row");
        for (file, stored) in files {
            assert_eq!(stored["v"], v, "{file}");
            let row: P::Row =
                serde_json::from_value(stored.clone()).unwrap_or_else(|error| panic!("{file}: {error}"));
            if v == P::VERSION {
                assert_eq!(serde_json::to_value(&row).unwrap(), stored, "{file}");
            }
            is_served(stage, &file, &stored, &row).await;
            read += 1;
        }
    }
    read
}

/// Stores a row, and reads it in each way in which the code reads rows.
async fn is_served<R: Row + PartialEq + std::fmt::Debug>(stage: &Stage, file: &str, stored: &Value, row: &R) {
    let rows = &stage.backend.rows;
    let put = stage.dynamodb.put_item().table_name(stage.live(R::TABLE).await);
    put.set_item(Some(serde_dynamo::to_item(stored).unwrap())).send().await.unwrap();
    assert_eq!(rows.get_all::<R>(&[row.id()]).await.unwrap().first(), Some(row), "{file}");
    for index in R::TABLE.indexes {
        let Some(partition) = stored[index.hash.0].as_str() else { continue };
        let selection = Selection { index: *index, partition, range: Range::All, order: Order::Ascending };
        assert!(is_in::<R>(rows, selection, row).await, "{file} is in the index {}", index.name);
    }
}

async fn is_in<R: Row + PartialEq>(rows: &Rows, selection: Selection<'_>, row: &R) -> bool {
    match selection.index.projected {
        Projected::All => rows.page::<R>(selection, 10, None).await.unwrap().rows.contains(row),
        Projected::Keys | Projected::Some(_) => {
            let page = rows.entries::<Value>(R::TABLE, selection, 10, None).await.unwrap();
            page.rows.iter().any(|entry| entry["id"] == row.id().to_string())
        }
    }
}

#[tokio::test]
async fn a_row_older_than_this_code_reads_is_refused_with_advice() {
    let stage = Stage::new().await;
    let (_, mut stored) = files("waitees.v2.").remove(0);
    stored["v"] = 1.into();
    let put = stage.dynamodb.put_item().table_name(stage.live(<Waitees as Projection>::Row::TABLE).await);
    put.set_item(Some(serde_dynamo::to_item(&stored).unwrap())).send().await.unwrap();
    let id = stored["id"].as_str().unwrap().parse().unwrap();
    let refused = stage.backend.rows.get_all::<<Waitees as Projection>::Row>(&[id]).await.unwrap_err();
    assert!(refused.chain().contains("rebuild waitees"), "{}", refused.chain());
    assert!(!refused.is_passing());
}

/// The golden files whose names begin so, by name.
fn files(prefix: &str) -> Vec<(String, Value)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/contract/golden_rows");
    let mut files: Vec<(String, Value)> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, text)| (name, serde_json::from_str(&text).unwrap()))
        .collect();
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    files
}
