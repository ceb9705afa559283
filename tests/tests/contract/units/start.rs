//! The units of a start.

use waitlist_tests::{costs::documented, stage::Stage};

use super::{reads, units};

#[tokio::test]
async fn a_start_reads_the_check_value_of_the_claims_key_and_writes_only_the_first() {
    let stage = Stage::new().await;
    let _before = stage.meter.take();
    stage.backend.check_claims().await.unwrap();
    assert_eq!(stage.meter.take().writes, units([("vault", 1)]));

    stage.another().check_claims().await.unwrap();
    let used = stage.meter.take();
    assert_eq!(used.writes, units([]));
    documented(&stage, "a start of accounts or eraser", &used);
    if stage.counts_as_documented() {
        assert_eq!(used.reads, reads([("vault", 0.5)]));
    }
}
