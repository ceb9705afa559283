//! Messages to guests: that their table is ready, and that it is not held for much longer.

use commands::{
    user::{Account, User},
    waitee::{Visit, Waitee},
    waitlist::{self, Waitlist},
};
use infra::{
    Failure,
    log::Read,
    vault::{Subject, SubjectKey},
};
use schema::{
    Sealed, StreamId, Time, UserId, WaiteeId,
    agenda::Agenda,
    message::{Kind, MessageId, Skip},
    sealed::{Opened, Personal},
    value::Phone,
    waitlist::State,
};

use super::{
    Attended, Deliver,
    send::{Letter, Way},
};
use crate::wording::{self, ForGuest};

impl Attended for Waitee {
    fn agenda(&self) -> Option<&Agenda> {
        self.0.as_ref().map(|visit| &visit.agenda)
    }

    async fn compose(
        deliver: &Deliver,
        stream: StreamId,
        read: &Read<Self>,
        message: MessageId,
        now: Time,
    ) -> Result<Result<Letter, Skip>, Failure> {
        match &read.state.0 {
            Some(visit) => compose(deliver, WaiteeId(stream.id), visit, read.tenant, message, now).await,
            None => Ok(Err(Skip::Needless)),
        }
    }
}

async fn compose(
    deliver: &Deliver,
    guest: WaiteeId,
    visit: &Visit,
    account: UserId,
    message: MessageId,
    now: Time,
) -> Result<Result<Letter, Skip>, Failure> {
    if let Err(reason) = visit.wants(message, now) {
        return Ok(Err(reason));
    }
    let backend = &deliver.backend;
    let list = match waitlist::find(backend, visit.waitlist).await? {
        Some((_, Waitlist::Kept(list))) => list,
        Some((_, Waitlist::Deleted | Waitlist::None)) | None => return Ok(Err(Skip::Needless)),
    };
    let Some(key) = backend.vault.key(Subject::Guest { account, guest }).await? else {
        return Ok(Err(Skip::Erased));
    };
    let Some(sender) = Sender::of(deliver, account).await? else { return Ok(Err(Skip::Erased)) };
    let key = Key { stream: guest.into(), key };
    let (phone, email) = (key.open(visit.party.phone.as_ref())?, key.open(visit.party.email.as_ref())?);
    let (phone, no_text) = match phone {
        Some(phone) => match sender.texts(&list, &phone) {
            Ok(()) => (Some(phone), None),
            Err(reason) => (None, Some(reason)),
        },
        None => (None, Some(Skip::NoAddress)),
    };
    if let (None, Some(reason)) = (&email, no_text) {
        return Ok(Err(reason));
    }
    let hold = match message.kind {
        Kind::TableReady => visit.agenda.hold_told_at(now),
        Kind::Reminder => visit.agenda.hold,
        Kind::Welcome | Kind::Confirmation | Kind::PasswordReset => None,
    };
    let (Some(name), Some(hold)) = (key.open(Some(&visit.party.name))?, hold) else {
        return Ok(Err(Skip::Needless));
    };
    let link = format!("{}/visit#{}", backend.public_url, backend.secrets.visit_token(guest));
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
        Kind::Welcome | Kind::Confirmation | Kind::PasswordReset => return Ok(Err(Skip::Needless)),
    };
    // A text if there is a number for it. An e-mail if there is none, or when the text is refused.
    let ways = phone
        .map(|to| Way::Text { to, text })
        .into_iter()
        .chain(email.map(|to| Way::Mail { to, words }))
        .collect();
    Ok(Ok(Letter { ways, account, confirmed: sender.confirmed, texts_per_day: sender.texts_per_day }))
}

/// The account that the message comes from.
struct Sender {
    confirmed: bool,
    texts_per_day: Option<u32>,
}

impl Sender {
    /// Reads it from the log, strongly. `None` when it was erased. A token made on the command line can be for an account that never
    /// registered: it counts as unconfirmed.
    async fn of(deliver: &Deliver, account: UserId) -> Result<Option<Self>, Failure> {
        let read = deliver.backend.log.read::<User>(account.into()).await?;
        Ok(match read.map_or(User::None, |read| read.state) {
            User::None => Some(Self { confirmed: false, texts_per_day: None }),
            User::Kept(Account { confirmed, texts_per_day, .. }) => Some(Self { confirmed, texts_per_day }),
            User::Erased(_) | User::Forgotten => None,
        })
    }

    /// Whether it may text this number.
    fn texts(&self, list: &State, phone: &Phone) -> Result<(), Skip> {
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

/// A guest's key, and the stream that what it opens stands in.
struct Key {
    stream: StreamId,
    key: SubjectKey,
}

impl Key {
    /// A value in clear, if there is one. One that is damaged is for a person to look at.
    fn open<T: Personal>(&self, sealed: Option<&Sealed<T>>) -> Result<Option<T>, Failure> {
        match sealed.map(|sealed| self.key.open(self.stream, sealed)) {
            None | Some(Opened::Erased) => Ok(None),
            Some(Opened::Clear(value)) => Ok(Some(value)),
            Some(Opened::Damaged) => {
                Err(Failure::broken(format!("open the {} of {}", T::FIELD, self.stream), "it does not open"))
            }
        }
    }
}
