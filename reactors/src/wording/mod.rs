//! The words of every message, in every language. Pure functions of the values that a message mentions.
//!
//! No message has a word that carriers take for an opt-out. Texts never ask for an answer, because only the
//! carrier would read it.
//!
//! <https://docs.aws.amazon.com/sns/latest/dg/sms_manage.html>

mod direction;
mod gsm;
mod guest;
mod mail;
mod segment;

use std::time::Duration;

use schema::{
    sealed::Personal,
    value::{Language, Name},
};

use self::mail::{Draft, mail};
pub use self::{
    guest::{ForGuest, reminder_mail, reminder_text, table_ready_mail, table_ready_text},
    mail::Worded,
};

/// The values that a mail to an owner mentions.
#[derive(Clone, Copy)]
pub struct ForOwner<'a> {
    pub language: Language,
    pub name: &'a Name,
    pub link: &'a str,
    /// The validity of the link, in whole hours or days.
    pub good_for: Duration,
}

pub fn welcome(to: &ForOwner<'_>) -> Worded {
    let good_for = span(to);
    let draft = match to.language {
        Language::En => Draft {
            subject: "Welcome to Waitlist: please confirm your address".into(),
            before: vec!["Welcome to Waitlist. Please confirm that this address is yours:".into()],
            after: vec![
                format!("The link is good for {good_for}. Texts to guests begin once the address is confirmed."),
                "If you did not register, there is nothing to do: without this link nobody can confirm your address.".into(),
            ],
        },
        Language::Es => Draft {
            subject: "Bienvenido a Waitlist: confirme su dirección".into(),
            before: vec!["Le damos la bienvenida a Waitlist. Confirme, por favor, que esta dirección es suya:".into()],
            after: vec![
                format!(
                    "El enlace vale {good_for}. Los mensajes de texto a sus clientes empiezan cuando la dirección esté confirmada."
                ),
                "Si usted no se registró, no tiene que hacer nada: sin este enlace nadie puede confirmar su dirección.".into(),
            ],
        },
    };
    mail(to.language, to.name.clear(), to.link, draft)
}

/// The mail that repeats the link of the welcome mail.
pub fn confirmation(to: &ForOwner<'_>) -> Worded {
    let good_for = span(to);
    let draft = match to.language {
        Language::En => Draft {
            subject: "Please confirm your address".into(),
            before: vec!["Here is the link again that confirms that this address is yours:".into()],
            after: vec![format!(
                "It is good for {good_for}. If you did not ask for it, there is nothing to do."
            )],
        },
        Language::Es => Draft {
            subject: "Confirme su dirección".into(),
            before: vec!["Aquí tiene de nuevo el enlace que confirma que esta dirección es suya:".into()],
            after: vec![format!("Vale {good_for}. Si no lo pidió, no tiene que hacer nada.")],
        },
    };
    mail(to.language, to.name.clear(), to.link, draft)
}

pub fn password_reset(to: &ForOwner<'_>) -> Worded {
    let good_for = span(to);
    let draft = match to.language {
        Language::En => Draft {
            subject: "Set a new password".into(),
            before: vec![
                "Somebody, you we hope, asked for a new password for your account. Set it here:".into(),
            ],
            after: vec![format!(
                "The link is good for {good_for}, and once. If you did not ask for it, there is nothing to do: your password stays as it is."
            )],
        },
        Language::Es => Draft {
            subject: "Cree una contraseña nueva".into(),
            before: vec![
                "Alguien, esperamos que usted, pidió una contraseña nueva para su cuenta. Créela aquí:"
                    .into(),
            ],
            after: vec![format!(
                "El enlace vale {good_for}, y una sola vez. Si no lo pidió, no tiene que hacer nada: su contraseña sigue igual."
            )],
        },
    };
    mail(to.language, to.name.clear(), to.link, draft)
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
