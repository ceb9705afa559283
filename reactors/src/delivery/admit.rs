//! Counts messages against the caps of account and recipient, before they are sent.

use infra::{
    Backend, Failure,
    limits::{Counted, Quota},
};
use schema::message::Skip;
use tracing::warn;

use super::{
    Deliver,
    compose::{Alternative, Composed},
};

/// The code of an attempt that failed because the message could not be counted.
const NOT_COUNTED: &str = "not-counted";

/// The code of an attempt that failed because SNS did not say whether a number takes texts.
const OPT_OUT_UNKNOWN: &str = "opt-out-unknown";

/// The reason that a message may not go to a recipient.
pub(super) enum NotAdmitted {
    Skip(Skip),
    /// It could not be checked; the message is tried again.
    Failed {
        code: &'static str,
        failure: Failure,
    },
}

/// Counts a message, or returns why it may not be sent. It is counted before it is sent, so that a crash
/// sends too few messages rather than too many. The account is counted first, so that an account over its cap
/// does not use up the recipient's count.
pub(super) async fn admit(
    deliver: &Deliver,
    composed: &Composed,
    alternative: &Alternative,
) -> Result<Vec<Counted>, NotAdmitted> {
    let quotas = match alternative {
        Alternative::Owner { .. } => return Ok(Vec::new()),
        Alternative::Text { to, .. } => {
            let opted_out = deliver.messengers.texter.is_opted_out(to).await;
            if opted_out.map_err(|failure| NotAdmitted::Failed { code: OPT_OUT_UNKNOWN, failure })? {
                return Err(NotAdmitted::Skip(Skip::OptedOut));
            }
            [
                (Quota::text_of(composed.account, composed.texts_per_day), Skip::AccountCap),
                (Quota::text_to(to), Skip::RecipientCap),
            ]
        }
        Alternative::Mail { to, .. } => {
            let of_account = Quota::guest_mail_of(composed.account, composed.confirmed);
            [(of_account, Skip::AccountCap), (Quota::guest_mail_to(to), Skip::RecipientCap)]
        }
    };
    let mut counted = Vec::with_capacity(quotas.len());
    for (quota, over_cap) in quotas {
        let refused = match deliver.backend.limits.take(&quota).await {
            Ok(Some(one)) => {
                counted.push(one);
                continue;
            }
            Ok(None) => NotAdmitted::Skip(over_cap),
            Err(failure) => NotAdmitted::Failed { code: NOT_COUNTED, failure },
        };
        give_back(&deliver.backend, counted).await;
        return Err(refused);
    }
    Ok(counted)
}

/// Gives back the counts of a message that was not sent. A count that cannot be given back stays used up.
pub(super) async fn give_back(backend: &Backend, counted: Vec<Counted>) {
    for one in counted {
        if let Err(failure) = backend.limits.give_back(one).await {
            warn!(
                cause = failure.chain(),
                "could not give back the count of a message that was not sent; it stays counted"
            );
        }
    }
}
