//! The mail by which an account confirms its address.

use infra::{
    Backend, Failure,
    http::Call,
    rows::{Order, Range, Selection},
};
use schema::{
    message::Status,
    sync::SyncToken,
    table::{CONFIRMING, MailRow},
};

use super::Mails;
use crate::fresh;

/// The state of the last mail whose link confirms the caller's address: the welcome mail, or one that was
/// asked for later. Half a read unit, and those of the mails that `tokens` name.
///
/// # Errors
/// A token names a mail that the caller may not see, or an event that does not exist. The table or the log
/// cannot be read.
pub(crate) async fn confirming(
    backend: &Backend,
    call: &Call<'_>,
    tokens: &[SyncToken],
) -> Result<Status, Failure> {
    let newer = fresh::rows::<Mails>(backend, call.actor(), tokens).await?;
    let selection = Selection {
        index: CONFIRMING,
        partition: &call.owner.to_string(),
        range: Range::All,
        order: Order::Descending,
    };
    let stored = backend.rows.page::<MailRow>(selection, 1, None).await?.rows;
    let newer = newer.into_iter().filter(|row| row.confirms.is_some());
    // Of two rows of the same mail, the one with more events is the newer.
    let last = stored.into_iter().chain(newer).max_by(|a, b| (&a.made, a.seq).cmp(&(&b.made, b.seq)));
    // The welcome mail is asked for together with the registration: it is due even if its row does not exist
    // yet.
    Ok(last.map_or(Status::Due, |row| row.status(backend.clock.now())))
}
