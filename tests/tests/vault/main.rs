//! Tests of the vault against a real engine.

mod claims;
mod erasure;
mod keys;
mod sealing;

use aws_sdk_dynamodb::types::AttributeValue;
use infra::vault::{Subject, SubjectKey, Vault};
use schema::{
    StreamId, UserId, WaiteeId,
    sealed::{Opened, Personal},
    table::VAULT,
    value::Name,
};
use uuid::Uuid;
use waitlist_tests::{meter::Units, stage::Stage};

const OWNER: UserId = UserId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001));

const ACCOUNT: Subject = Subject::Account(OWNER);

fn guest(n: u128) -> Subject {
    Subject::Guest { account: OWNER, guest: WaiteeId(Uuid::from_u128(n)) }
}

fn visit(n: u128) -> StreamId {
    WaiteeId(Uuid::from_u128(n)).into()
}

/// An empty vault table. Several vaults over it stand for several processes.
struct Table {
    stage: Stage,
    name: String,
}

impl Table {
    async fn new() -> Self {
        let stage = Stage::new().await;
        Self { name: VAULT.name(&stage.prefix), stage }
    }

    fn vault(&self) -> Vault {
        self.stage.another().vault
    }

    fn pass(&self, ms: i64) {
        self.stage.backend.clock.advance_millis(ms);
    }

    /// Buries the subject in another process, whose cache alone is updated.
    async fn erase(&self, subject: Subject) {
        self.vault().bury(subject).await.unwrap();
    }

    async fn items(&self) -> Vec<std::collections::HashMap<String, AttributeValue>> {
        self.stage
            .dynamodb
            .scan()
            .table_name(&self.name)
            .consistent_read(true)
            .send()
            .await
            .unwrap()
            .items
            .unwrap()
    }
}

/// Whether the second key opens a value sealed by the first, and both give the same MAC.
fn same(a: &SubjectKey, b: &SubjectKey) -> bool {
    let name = Name::from_clear("Ana".into());
    b.open(visit(1), &a.seal(visit(1), &name)) == Opened::Clear(name)
        && a.mac("same", &[]) == b.mac("same", &[])
}

fn units(units: f64) -> Units {
    Units::from([("vault".to_owned(), units)])
}

async fn two_guests() -> (Table, SubjectKey, SubjectKey) {
    let table = Table::new().await;
    let vault = table.vault();
    vault.create(ACCOUNT).await.unwrap();
    let (ana, ben) = (vault.create(guest(1)).await.unwrap(), vault.create(guest(2)).await.unwrap());
    (table, ana, ben)
}
