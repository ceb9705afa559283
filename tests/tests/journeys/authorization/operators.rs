//! Routes of operators: every other account is refused before the path is looked at.

use projections::rebuild::Command;
use schema::{
    projection::Name,
    route::{Access, Entry, Operations, ROUTES, Route},
};
use serde_json::json;
use uuid::Uuid;
use waitlist_tests::stage::{Owner, Stage, send};

use crate::{bad_input::assert_is_problem, raw::census};

/// Returns the path of a request to a route of operators; `None` for another route.
pub(super) fn request(entry: &Entry) -> Option<String> {
    let path = entry.path.replace("{name}", "waitees").replace("{id}", &Uuid::from_u128(7).to_string());
    (entry.access == Access::Operator).then_some(path)
}

/// Brings the projection into a state in which an operator's request succeeds. Returns its path.
async fn make_ready(stage: &Stage, operator: &Owner<'_>, route: Operations) -> Option<Uuid> {
    let rebuilds = "/v1/projections/waitees/rebuilds";
    let start = async || -> Uuid { operator.post(rebuilds, json!({})).await.id().parse().unwrap() };
    match route {
        Operations::Rebuild | Operations::CancelRebuild => Some(start().await),
        Operations::PromoteRebuild => {
            let id = start().await;
            stage.make_ready(Name::Waitees, id).await;
            Some(id)
        }
        Operations::RollBack => {
            let rebuild = start().await;
            stage.make_ready(Name::Waitees, rebuild).await;
            stage.step(Name::Waitees, Command::Promote { rebuild, by: None }).await;
            None
        }
        Operations::Redrive => stage.dead(&stage.backend.retries, "{}").await.parse().ok(),
        Operations::Projections
        | Operations::Rebuilds
        | Operations::StartRebuild
        | Operations::Retire
        | Operations::DeadLetters => None,
    }
}

#[tokio::test]
async fn every_route_of_operators_is_403_to_an_owner_and_served_to_every_operator() {
    for entry in ROUTES {
        let Route::Operations(route) = entry.route else { continue };
        let stage = Stage::new().await;
        let (first, owner) = (stage.operator(), stage.registered().await);
        let id = make_ready(&stage, &first, route).await.unwrap_or(Uuid::from_u128(7)).to_string();
        let path = entry.path.replace("{name}", "waitees").replace("{id}", &id);
        let elsewhere = entry.path.replace("{name}", "nothing").replace("{id}", "no-id");
        let before = census(&stage.dynamodb, &stage.prefix).await;
        for path in [&path, &elsewhere] {
            let asked = format!("{} {path}", entry.method);
            let refused = owner.send(entry.method, path, None, &[]).await;
            assert_is_problem(&refused, 403, "forbidden", &asked);
            let unknown = send(&stage.backend, None, entry.method, path, None, &[]).await;
            assert_is_problem(&unknown, 401, "unauthorized", &asked);
        }
        if elsewhere != path {
            let absent = first.send(entry.method, &elsewhere, None, &[]).await;
            assert_is_problem(&absent, 404, "not-found", &elsewhere);
        }
        assert_eq!(census(&stage.dynamodb, &stage.prefix).await, before, "{path} left something behind");
        let served = stage.operator().send(entry.method, &path, None, &[]).await;
        assert_eq!(served.status, entry.success, "{} {path}: {served:?}", entry.method);
        if entry.method == "GET" {
            let head = first.send("HEAD", &path, None, &[]).await;
            assert_eq!((head.status, head.header("etag")), (200, served.header("etag")), "{path}");
        }
    }
}
