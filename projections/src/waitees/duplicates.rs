//! Parties of one board that share a phone number or an e-mail address.

use std::collections::HashMap;

use schema::{body::Waitee, sealed::Personal as _, value::Email};
use uuid::Uuid;

/// The parties seen so far, in queue order.
#[derive(Default)]
pub(super) struct Duplicates {
    seen: usize,
    phones: HashMap<String, First>,
    /// By address in its normal form.
    emails: HashMap<String, First>,
}

/// The first party with a phone number or address: its position on the board, and its id.
type First = (usize, Uuid);

impl Duplicates {
    /// The first party on the board with this one's phone number or e-mail address. Parties are passed in
    /// queue order.
    pub(super) fn first_like(&mut self, waitee: &Waitee) -> Option<Uuid> {
        let this = (self.seen, waitee.id);
        self.seen += 1;
        let by_phone = waitee.phone.clone().map(|phone| *self.phones.entry(phone).or_insert(this));
        let email = waitee.email.clone().map(|email| Email::from_clear(email).normalised());
        let by_email = email.map(|email| *self.emails.entry(email).or_insert(this));
        let (_, first) = by_phone.into_iter().chain(by_email).min()?;
        (first != waitee.id).then_some(first)
    }
}
