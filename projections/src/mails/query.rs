//! The mail that an account confirms its address by.

use infra::{Backend, Failure, http::Call, rows::Range};
use schema::{sync::SyncToken, table};

use super::{MailRow, Mails};
use crate::fresh;

/// The state of the last mail whose link confirms the caller's address: the welcome mail, or one that was asked for later. Half a
/// read unit, and those of the mails that `tokens` name.
///
/// # Errors
/// A token names a mail that the caller may not see, or an event that does not exist. Table or log cannot be read.
pub(crate) async fn confirming(
    backend: &Backend,
    call: &Call<'_>,
    tokens: &[SyncToken],
) -> Result<&'static str, Failure> {
    let owner = call.owner.to_string();
    let overlay = fresh::rows::<Mails>(backend, call.actor(), tokens).await?;
    let range = Range { index: "confirming", hash: ("confirms", &owner), beyond: None, backwards: true };
    let (stored, _) = backend.rows.page::<MailRow>(table::MAILS, range, 1, None).await?;
    let newer = overlay.into_iter().filter(|row| row.confirms.is_some());
    // Of two rows of the same mail, the one with more events is the newer.
    let last = stored.into_iter().chain(newer).max_by(|a, b| (&a.made, a.seq).cmp(&(&b.made, b.seq)));
    // The welcome mail is asked for with the registration: before its row is there, it is due.
    Ok(last.map_or("due", |row| row.status(backend.clock.now())))
}
