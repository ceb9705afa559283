//! Messages to guests: that their table is ready, and that it is not held for much longer.

use commands::{
    user::User,
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
    value::{Email, Phone},
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
    let Some(key) = backend.vault.key(Subject::Guest { account, guest }).await? else { return Ok(Err(Skip::Erased)) };
    let key = Key { stream: guest.into(), key };
    let (phone, email) = (key.open(visit.phone.as_ref())?, key.open(visit.email.as_ref())?);
    let (way, texts_per_day) = match choose(deliver, &list, account, phone, email).await? {
        Ok(chosen) => chosen,
        Err(reason) => return Ok(Err(reason)),
    };
    let (Some(name), Some(hold)) = (key.open(Some(&visit.name))?, visit.agenda.hold) else { return Ok(Err(Skip::Needless)) };
    let link = format!("{}/visit#{}", backend.public_url, backend.secrets.visit_token(guest));
    let mentioned = ForGuest {
        language: visit.language.unwrap_or(list.settings.language),
        list: &list.settings.name,
        guest: &name,
        hold_until: hold.until,
        zone: list.settings.time_zone,
        link: &link,
    };
    let (text, mail) = match message.kind {
        Kind::Reminder => (wording::reminder_text(&mentioned), wording::reminder_mail(&mentioned)),
        Kind::TableReady | Kind::Welcome | Kind::Confirmation | Kind::PasswordReset => {
            (wording::table_ready_text(&mentioned), wording::table_ready_mail(&mentioned))
        }
    };
    Ok(Ok(Letter { way, account, texts_per_day, text, mail }))
}

/// A text to whoever has a telephone; a mail to who has none, or when texts are not allowed. And how many texts a day somebody
/// allowed the account.
async fn choose(
    deliver: &Deliver,
    list: &State,
    tenant: UserId,
    phone: Option<Phone>,
    email: Option<Email>,
) -> Result<Result<(Way, Option<u32>), Skip>, Failure> {
    let mail = |reason| Ok(email.clone().map(|email| (Way::Mail(email), None)).ok_or(reason));
    let Some(phone) = phone else { return mail(Skip::NoAddress) };
    if !phone.is_of(list.settings.region) {
        return mail(Skip::OtherCountry);
    }
    let account = deliver.backend.log.read::<User>(tenant.into()).await?;
    let Some(account) = account.as_ref().and_then(|read| read.state.kept()).filter(|account| account.confirmed) else {
        return mail(Skip::AccountUnconfirmed);
    };
    if deliver.messengers.texter.is_opted_out(&phone).await? {
        return mail(Skip::OptedOut);
    }
    Ok(Ok((Way::Text { phone, else_mail: email.clone() }, account.texts_per_day)))
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
            Some(Opened::Damaged) => Err(Failure::broken(format!("open the {} of {}", T::FIELD, self.stream), "it does not open")),
        }
    }
}
