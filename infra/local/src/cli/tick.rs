//! `waitlist tick`: queues due work once.

use reactors::tick::{Report, Tick};

use super::{Failed, deployment::Deployment, print};

/// Queues due work and prints how much there was. A running server works off the queue.
pub(super) async fn run(deployment: &Deployment, json: bool) -> Result<(), Failed> {
    let Report { queued, cut_short } = Tick::new(deployment.backend.clone()).look().await?;
    let rest = if cut_short { "; there is more, run the command again" } else { "" };
    let text = match queued {
        0 => "nothing is due".to_owned(),
        1 => format!("1 visit or account queued{rest}"),
        _ => format!("{queued} visits and accounts queued{rest}"),
    };
    Ok(print(json, &text, &serde_json::json!({ "queued": queued, "cut_short": cut_short }))?)
}
