//! `waitlist tick`: runs the look for due work once.

use reactors::tick::{Looked, Tick};

use super::{Failed, deployment::Deployment, say};

/// Queues what is due and prints how much that was. A running server works the queue off.
pub(super) async fn look(deployment: &Deployment, json: bool) -> Result<(), Failed> {
    let Looked { queued, cut_short } = Tick::new(deployment.backend.clone()).look().await?;
    let rest = if cut_short { "; there is more, look again" } else { "" };
    let text = match queued {
        0 => "nothing is due".to_owned(),
        1 => format!("1 visit or account queued{rest}"),
        _ => format!("{queued} visits and accounts queued{rest}"),
    };
    say(json, &text, &serde_json::json!({ "queued": queued, "cut_short": cut_short }))
}
