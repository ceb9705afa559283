//! The lambdas behind event source mappings with the numbers of the template. Processes die in the middle of a batch, calls
//! hang until the function's time-out or are refused, answers are lost, and records are doubled or unreadable.

mod bounds;
mod queues;
mod streams;
mod visits;

use std::time::Duration;

use proptest::{prelude::*, test_runner::TestRunner};
use waitlist_tests::{
    cases::{cases, runtime},
    mapping::{Environment, Sqs, Troubles},
};

use super::deployment::Deployment;

/// The queues and troubles of one case.
#[derive(Default)]
struct Scene {
    sqs: Sqs,
    troubles: Troubles,
}

impl Scene {
    /// An execution environment of a lambda. Its first processes abort at these points.
    fn environment<'d>(
        &self,
        deployment: &'d Deployment,
        name: &'static str,
        time_out: Duration,
        mut aborts: Vec<String>,
    ) -> Environment<'d> {
        let outbox = deployment.outbox().display().to_string();
        let start = move |url: &str| {
            let [retries, deliveries, erasures, rebuilds, sweeps] =
                ["retries", "deliveries", "erasures", "rebuilds", "sweeps"]
                    .map(|queue| format!("{url}/{queue}"));
            let abort = aborts.pop().unwrap_or_default();
            let settings = [
                ("AWS_ENDPOINT_URL_DYNAMODB", url),
                ("AWS_ENDPOINT_URL_SQS", url),
                ("WAITLIST_RETRIES_URL", &retries),
                ("WAITLIST_DELIVERIES_URL", &deliveries),
                ("WAITLIST_ERASURES_URL", &erasures),
                ("WAITLIST_REBUILDS_URL", &rebuilds),
                ("WAITLIST_SWEEPS_URL", &sweeps),
                ("WAITLIST_OUTBOX_DIR", &outbox),
                ("WAITLIST_ABORT_AT", &abort),
            ];
            deployment.start(name, &settings)
        };
        Environment::new(start, deployment.stage.endpoint(), &self.sqs, &self.troubles, time_out)
    }
}

/// Tries generated cases, `default` of them in a plain run, on one deployment.
fn check<S: Strategy>(default: u32, case: S, property: impl AsyncFn(&Deployment, &S::Value)) {
    let runtime = runtime();
    let deployment = runtime.block_on(Deployment::new());
    let mut runner = TestRunner::new(cases(default));
    runner
        .run(&case, |case| {
            runtime.block_on(property(&deployment, &case));
            Ok(())
        })
        .unwrap();
}
