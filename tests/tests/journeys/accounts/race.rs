//! Concurrent registrations of one address, and a registration during which the process dies.

use futures::future::join;
use infra::secret::Claims;
use schema::{table::VAULT, value::Email};
use serde_json::json;
use waitlist_tests::{
    account::PASSWORD,
    stage::{Stage, send},
};

use super::registration;
use crate::{bad_input::assert_is_problem, place::Place, raw::scan};

const RACES: usize = 100;

#[tokio::test]
async fn one_of_two_concurrent_registrations_of_an_address_wins() {
    let stage = Stage::new().await;
    let another = stage.another();
    let claims = Claims::load(&stage.keys).unwrap();
    for race in 0..RACES {
        let email = format!("ana{race}@example.com");
        let body = registration(&email);
        let (one, other) = join(
            send(&stage.backend, None, "POST", "/v1/users", Some(&body), &[]),
            send(&another, None, "POST", "/v1/users", Some(&body), &[]),
        )
        .await;
        let (winner, loser) = if one.status == 201 { (one, other) } else { (other, one) };
        assert_eq!(winner.status, 201, "{winner:?}");
        assert_is_problem(&loser, 409, "email-taken", &email);
        let claim = claims.of_email(&Email::parse(&email).unwrap()).unwrap();
        assert_eq!(
            stage.backend.vault.holder(&claim).await.unwrap().map(|user| user.to_string()),
            Some(winner.id())
        );
        stage.backend.clock.advance_millis(1_800_000); // so that the bound on registrations is not reached
    }
    let keys = scan(&stage.dynamodb, &VAULT, &stage.prefix).await.len();
    assert_eq!(
        keys,
        2 * RACES,
        "a key and a claim for each account, and nothing of the refused registrations"
    );
}

/// The process dies right before or right after the transaction.
#[tokio::test]
async fn an_interrupted_registration_is_stored_whole_or_not_at_all() {
    for point in ["log.append:1", "log.appended:1"] {
        let place = Place::new();
        let mut dying = place.serve(&[("WAITLIST_ABORT_AT", point)]).await;
        let key = [("Idempotency-Key", super::KEY)];
        assert!(
            dying
                .send(None, "POST", "/v1/users", Some(&registration("ana@example.com")), &key)
                .await
                .is_err(),
            "{point}"
        );
        dying.ended().await;
        let server = place.serve(&[]).await;
        let signed_in = json!({ "email": "ana@example.com", "password": PASSWORD });
        let early = server.send(None, "POST", "/v1/sessions", Some(&signed_in), &[]).await.unwrap();
        assert_eq!(early.status, if point == "log.append:1" { 401 } else { 201 }, "{point}: {early:?}");
        let again = server
            .send(None, "POST", "/v1/users", Some(&registration("ana@example.com")), &key)
            .await
            .unwrap();
        assert_eq!((again.status, again.body["seq"].as_u64()), (201, Some(1)), "{point}: {again:?}");
        let late = server.send(None, "POST", "/v1/sessions", Some(&signed_in), &[]).await.unwrap();
        assert_eq!(late.status, 201, "{point}: {late:?}");
    }
}
