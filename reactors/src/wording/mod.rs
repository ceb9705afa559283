//! The words of every message, in every language. Pure: what a message mentions is handed in.
//!
//! Texts stay within one segment as far as names allow. None of our own words is one that carriers take for an opt-out, and
//! nobody is ever asked to answer a text: an answer would be heard by the carrier alone.
//! <https://docs.aws.amazon.com/sns/latest/dg/sms_manage.html>

mod gsm;
mod mail;

use std::time::Duration;

use schema::{
    Time,
    sealed::Personal,
    value::{Language, ListName, Name, Zone, holds_web_address},
};

pub use self::mail::Worded;
use self::mail::{Letter, letter};

/// What a message to a guest mentions.
#[derive(Clone, Copy)]
pub struct ForGuest<'a> {
    /// What the guest reads.
    pub language: Language,
    /// The restaurant.
    pub list: &'a ListName,
    /// The guest.
    pub guest: &'a Name,
    /// Until when the table is held.
    pub hold_until: Time,
    /// Whose wall clock that is read from.
    pub zone: &'a Zone,
    /// Where the guest says whether they come.
    pub link: &'a str,
}

/// What a mail to an owner mentions.
#[derive(Clone, Copy)]
pub struct ForOwner<'a> {
    /// What the owner reads.
    pub language: Language,
    /// The owner.
    pub name: &'a Name,
    /// Where the mail leads.
    pub link: &'a str,
    /// For how long it leads there, in whole hours or days.
    pub good_for: Duration,
}

/// The table is ready.
#[must_use]
pub fn table_ready_text(to: &ForGuest<'_>) -> String {
    let (until, link) = (clock(to), to.link);
    one_segment(
        to,
        &match to.language {
            Language::En => format!(": your table is ready and held until {until}. Coming? {link}"),
            Language::Es => format!(": su mesa le espera hasta {until}. ¿Viene? {link}"),
        },
    )
}

/// The table is held for a little longer only.
#[must_use]
pub fn reminder_text(to: &ForGuest<'_>) -> String {
    let (until, link) = (clock(to), to.link);
    one_segment(
        to,
        &match to.language {
            Language::En => format!(": we hold your table only until {until}. Still coming? {link}"),
            Language::Es => format!(": guardamos su mesa solo hasta {until}. ¿Viene? {link}"),
        },
    )
}

/// The table is ready.
#[must_use]
pub fn table_ready_mail(to: &ForGuest<'_>) -> Worded {
    let (list, until) = (to.list, clock(to));
    letter(
        to.language,
        to.guest.clear(),
        to.link,
        match to.language {
            Language::En => Letter {
                subject: format!("Your table at {list} is ready"),
                before: vec![
                    format!("Your table at {list} is ready, and we hold it until {until}."),
                    "Please say whether you come, or leave the list:".into(),
                ],
                after: vec![],
            },
            Language::Es => Letter {
                subject: format!("Su mesa en {list} está lista"),
                before: vec![
                    format!("Su mesa en {list} está lista y le espera hasta {until}."),
                    "Díganos, por favor, si viene o deja la lista:".into(),
                ],
                after: vec![],
            },
        },
    )
}

/// The table is held for a little longer only.
#[must_use]
pub fn reminder_mail(to: &ForGuest<'_>) -> Worded {
    let (list, until) = (to.list, clock(to));
    letter(
        to.language,
        to.guest.clear(),
        to.link,
        match to.language {
            Language::En => Letter {
                subject: format!("Your table at {list} is held until {until}"),
                before: vec![
                    format!(
                        "We hold your table at {list} only until {until}; then it goes to the next party."
                    ),
                    "Please say whether you still come, or leave the list:".into(),
                ],
                after: vec![],
            },
            Language::Es => Letter {
                subject: format!("Guardamos su mesa en {list} hasta {until}"),
                before: vec![
                    format!(
                        "Guardamos su mesa en {list} solo hasta {until}; después pasa al siguiente grupo."
                    ),
                    "Díganos, por favor, si todavía viene o deja la lista:".into(),
                ],
                after: vec![],
            },
        },
    )
}

/// Greets a new account.
#[must_use]
pub fn welcome(to: &ForOwner<'_>) -> Worded {
    let good_for = span(to);
    letter(
        to.language,
        to.name.clear(),
        to.link,
        match to.language {
            Language::En => Letter {
                subject: "Welcome to Waitlist: please confirm your address".into(),
                before: vec!["Welcome to Waitlist. Please confirm that this address is yours:".into()],
                after: vec![
                    format!("The link is good for {good_for}. Texts to guests begin once the address is confirmed."),
                    "If you did not register, there is nothing to do: without this link nobody can confirm your address.".into(),
                ],
            },
            Language::Es => Letter {
                subject: "Bienvenido a Waitlist: confirme su dirección".into(),
                before: vec!["Le damos la bienvenida a Waitlist. Confirme, por favor, que esta dirección es suya:".into()],
                after: vec![
                    format!(
                        "El enlace vale {good_for}. Los mensajes de texto a sus clientes empiezan cuando la dirección esté confirmada."
                    ),
                    "Si usted no se registró, no tiene que hacer nada: sin este enlace nadie puede confirmar su dirección.".into(),
                ],
            },
        },
    )
}

/// The welcome mail's link again.
#[must_use]
pub fn confirmation(to: &ForOwner<'_>) -> Worded {
    let good_for = span(to);
    letter(
        to.language,
        to.name.clear(),
        to.link,
        match to.language {
            Language::En => Letter {
                subject: "Please confirm your address".into(),
                before: vec!["Here is the link again that confirms that this address is yours:".into()],
                after: vec![format!(
                    "It is good for {good_for}. If you did not ask for it, there is nothing to do."
                )],
            },
            Language::Es => Letter {
                subject: "Confirme su dirección".into(),
                before: vec!["Aquí tiene de nuevo el enlace que confirma que esta dirección es suya:".into()],
                after: vec![format!("Vale {good_for}. Si no lo pidió, no tiene que hacer nada.")],
            },
        },
    )
}

/// A link that sets a new password.
#[must_use]
pub fn password_reset(to: &ForOwner<'_>) -> Worded {
    let good_for = span(to);
    letter(
        to.language,
        to.name.clear(),
        to.link,
        match to.language {
            Language::En => Letter {
                subject: "Set a new password".into(),
                before: vec![
                    "Somebody, you we hope, asked for a new password for your account. Set it here:".into(),
                ],
                after: vec![format!(
                    "The link is good for {good_for}, and once. If you did not ask for it, there is nothing to do: your password stays as it is."
                )],
            },
            Language::Es => Letter {
                subject: "Cree una contraseña nueva".into(),
                before: vec![
                    "Alguien, esperamos que usted, pidió una contraseña nueva para su cuenta. Créela aquí:"
                        .into(),
                ],
                after: vec![format!(
                    "El enlace vale {good_for}, y una sola vez. Si no lo pidió, no tiene que hacer nada: su contraseña sigue igual."
                )],
            },
        },
    )
}

/// The list's name, and behind it what the guest has to know: in one segment, of a name that is too long for that the start. A name in
/// another script takes several segments, and is cut as well. Spelled otherwise or cut, it still leads nowhere.
fn one_segment(to: &ForGuest<'_>, rest: &str) -> String {
    let list: String =
        to.list.to_string().chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let name = match (gsm::spell(&list), gsm::septets(rest)) {
        (Some(spelled), Some(taken)) => {
            gsm::cut(&spelled, gsm::SEGMENT_SEPTETS.saturating_sub(taken), gsm::septets)
        }
        _ => gsm::cut(&list, gsm::SEGMENTS_UNITS.saturating_sub(gsm::units(rest)), |text| {
            Some(gsm::units(text))
        }),
    };
    let name = if holds_web_address(&name) { name.replace('.', " ") } else { name };
    format!("{name}{rest}")
}

fn clock(to: &ForGuest<'_>) -> String {
    let shown = |format| to.zone.wall_clock(to.hold_until, format);
    match to.language {
        Language::En => shown("%-I:%M %p"),
        Language::Es if shown("%-H") == "1" => shown("la %H:%M"),
        Language::Es => shown("las %H:%M"),
    }
}

fn span(to: &ForOwner<'_>) -> String {
    let hours = to.good_for.as_secs() / 3_600;
    let (number, is_days) =
        if hours > 0 && hours.is_multiple_of(24) { (hours / 24, true) } else { (hours, false) };
    let unit = match (to.language, is_days, number == 1) {
        (Language::En, true, true) => "day",
        (Language::En, true, false) => "days",
        (Language::En, false, true) => "hour",
        (Language::En, false, false) => "hours",
        (Language::Es, true, true) => "día",
        (Language::Es, true, false) => "días",
        (Language::Es, false, true) => "hora",
        (Language::Es, false, false) => "horas",
    };
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests;
