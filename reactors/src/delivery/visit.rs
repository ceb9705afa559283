//! Messages to guests: the table is ready, and a reminder before the hold ends.

use commands::{
    user::{Account, User},
    waitee::{Visit, Waitee},
    waitlist::{self, Waitlist},
};
use infra::{
    Backend, Failure,
    log::Read,
    vault::{Subject, SubjectKey},
};
use schema::{
    Sealed, StreamId, Time, UserId, WaiteeId,
    message::{Kind, MessageId, Skip},
    page::Page,
    sealed::{Opened, Personal},
    value::Phone,
    waitlist::State,
};

use super::compose::{Alternative, Compose, Composed, NotComposed};
use crate::wording::{self, ForGuest};

impl Compose for Waitee {
    async fn compose(
        backend: &Backend,
        stream: StreamId,
        read: &Read<Self>,
        message: MessageId,
        now: Time,
    ) -> Result<Composed, NotComposed> {
        let visit = read.state.0.as_ref().ok_or(Skip::Needless)?;
        compose(backend, WaiteeId(stream.id), visit, read.tenant, message, now).await
    }
}

async fn compose(
    backend: &Backend,
    guest: WaiteeId,
    visit: &Visit,
    account: UserId,
    message: MessageId,
    now: Time,
) -> Result<Composed, NotComposed> {
    visit.wants(message, now)?;
    let list = match waitlist::find(backend, visit.waitlist).await? {
        Some((_, Waitlist::Kept(list))) => list,
        Some((_, Waitlist::Deleted | Waitlist::None)) | None => return Err(Skip::Needless.into()),
    };
    let subject = Subject::Guest { account, guest };
    let key = backend.vault.key(subject).await.map_err(Failure::from)?.ok_or(Skip::Erased)?;
    let sender = Sender::read(backend, account).await?.ok_or(Skip::Erased)?;
    let key = Key { stream: guest.into(), key };
    let (phone, email) = (key.open(visit.party.phone.as_ref())?, key.open(visit.party.email.as_ref())?);
    let phone =
        phone.ok_or(Skip::NoAddress).and_then(|phone| sender.check_text(&list, &phone).map(|()| phone));
    let phone = match phone {
        Ok(phone) => Some(phone),
        Err(reason) if email.is_none() => return Err(reason.into()),
        Err(_) => None,
    };
    let hold = match message.kind {
        Kind::TableReady => visit.agenda.hold_told_at(now),
        Kind::Reminder => visit.agenda.hold,
        Kind::Welcome | Kind::Confirmation | Kind::PasswordReset => None,
    };
    let (Some(name), Some(hold)) = (key.open(Some(&visit.party.name))?, hold) else {
        return Err(Skip::Needless.into());
    };
    let link = Page::Visit.link(&backend.public_url, &backend.secrets.links().await?.visit_token(guest));
    let mentioned = ForGuest {
        language: visit.party.language.unwrap_or(list.settings.language),
        list: &list.settings.name,
        guest: &name,
        now,
        hold_until: hold.until,
        zone: &list.settings.time_zone,
        link: &link,
    };
    let (text, words) = match message.kind {
        Kind::TableReady => (wording::table_ready_text(&mentioned), wording::table_ready_mail(&mentioned)),
        Kind::Reminder => (wording::reminder_text(&mentioned), wording::reminder_mail(&mentioned)),
        Kind::Welcome | Kind::Confirmation | Kind::PasswordReset => return Err(Skip::Needless.into()),
    };
    // A text when the number takes texts; an e-mail otherwise, or when the text is refused.
    let by_text = phone.map(|to| Alternative::Text { to, text });
    let by_mail = email.map(|to| Alternative::Mail { to, words });
    let alternatives = by_text.into_iter().chain(by_mail).collect();
    let Sender { confirmed, texts_per_day } = sender;
    Ok(Composed { alternatives, account, confirmed, texts_per_day })
}

/// The account that the message comes from.
struct Sender {
    confirmed: bool,
    texts_per_day: Option<u32>,
}

impl Sender {
    /// Reads the account from the log, strongly. `None` when it was erased. A token made on the command line
    /// can be for an account that never registered: it counts as unconfirmed.
    async fn read(backend: &Backend, account: UserId) -> Result<Option<Self>, Failure> {
        let read = backend.log.read::<User>(account.into()).await?;
        Ok(match read.map_or(User::None, |read| read.state) {
            User::None => Some(Self { confirmed: false, texts_per_day: None }),
            User::Kept(Account { confirmed, texts_per_day, .. }) => Some(Self { confirmed, texts_per_day }),
            User::Erased(_) | User::Forgotten => None,
        })
    }

    /// Whether the account may text this number; if not, the reason to skip the text.
    fn check_text(&self, list: &State, phone: &Phone) -> Result<(), Skip> {
        if !phone.is_of(list.settings.region) {
            Err(Skip::OtherCountry)
        } else if !phone.may_take_texts() {
            Err(Skip::NotForTexts)
        } else if !self.confirmed {
            Err(Skip::AccountUnconfirmed)
        } else {
            Ok(())
        }
    }
}

/// A guest's key, with the stream whose values it opens.
struct Key {
    stream: StreamId,
    key: SubjectKey,
}

impl Key {
    /// The value in clear; `None` when there is no value, or it was erased.
    fn open<T: Personal>(&self, sealed: Option<&Sealed<T>>) -> Result<Option<T>, Failure> {
        match sealed.map(|sealed| self.key.open(self.stream, sealed)) {
            None | Some(Opened::Erased) => Ok(None),
            Some(Opened::Clear(value)) => Ok(Some(value)),
            Some(Opened::Damaged) => Err(Failure::broken(
                format!("open the {} of {}", T::FIELD, self.stream),
                "it does not open with the guest's key",
            )),
        }
    }
}
