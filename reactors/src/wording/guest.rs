//! The words of messages to guests: the table is ready, and a reminder before the hold ends.

use schema::{
    Time,
    sealed::Personal,
    value::{Language, ListName, Name, Zone, holds_web_address},
};
use unicode_segmentation::UnicodeSegmentation;

use super::{
    direction::{isolate, plain, without_needless_isolates},
    gsm,
    mail::{Draft, Worded, mail},
    segment::{cut, is_gsm, segments},
};

/// The most segments of a text that is not in the GSM alphabet; the name is cut to fit. Our own words and a
/// link take two.
const UTF_16_SEGMENTS_MAX: usize = 3;

/// The least graphemes that a cut name keeps, even if a long link then makes the text take one more segment.
const NAME_GRAPHEMES_MIN: usize = 20;

const MINUTE_MS: i64 = 60_000;

/// The values that a message to a guest mentions.
#[derive(Clone, Copy)]
pub struct ForGuest<'a> {
    pub language: Language,
    pub list: &'a ListName,
    pub guest: &'a Name,
    pub now: Time,
    pub hold_until: Time,
    pub zone: &'a Zone,
    /// The page where the guest confirms or leaves.
    pub link: &'a str,
}

pub fn table_ready_text(to: &ForGuest<'_>) -> String {
    let (held, link) = (held(to), to.link);
    text(
        to,
        &match to.language {
            Language::En => format!(": your table is ready and held {held}. Coming? {link}"),
            Language::Es => format!(": su mesa le espera {held}. ¿Viene? {link}"),
        },
    )
}

pub fn reminder_text(to: &ForGuest<'_>) -> String {
    let (held, link) = (held(to), to.link);
    text(
        to,
        &match to.language {
            Language::En => format!(": we hold your table only {held}. Still coming? {link}"),
            Language::Es => format!(": guardamos su mesa solo {held}. ¿Viene? {link}"),
        },
    )
}

pub fn table_ready_mail(to: &ForGuest<'_>) -> Worded {
    let (list, held) = (isolate(&to.list.to_string()), held(to));
    let draft = match to.language {
        Language::En => Draft {
            subject: format!("Your table at {list} is ready"),
            before: vec![
                format!("Your table at {list} is ready, and we hold it {held}."),
                "Please say whether you come, or leave the list:".into(),
            ],
            after: vec![],
        },
        Language::Es => Draft {
            subject: format!("Su mesa en {list} está lista"),
            before: vec![
                format!("Su mesa en {list} está lista y le espera {held}."),
                "Díganos, por favor, si viene o deja la lista:".into(),
            ],
            after: vec![],
        },
    };
    mail(to.language, to.guest.clear(), to.link, draft)
}

pub fn reminder_mail(to: &ForGuest<'_>) -> Worded {
    let (list, held) = (isolate(&to.list.to_string()), held(to));
    let draft = match to.language {
        Language::En => Draft {
            subject: format!("Your table at {list} is held {held}"),
            before: vec![
                format!("We hold your table at {list} only {held}; then it goes to the next party."),
                "Please say whether you still come, or leave the list:".into(),
            ],
            after: vec![],
        },
        Language::Es => Draft {
            subject: format!("Guardamos su mesa en {list} {held}"),
            before: vec![
                format!("Guardamos su mesa en {list} solo {held}; después pasa al siguiente grupo."),
                "Díganos, por favor, si todavía viene o deja la lista:".into(),
            ],
            after: vec![],
        },
    };
    mail(to.language, to.guest.clear(), to.link, draft)
}

/// A text of the list's name and `rest`. The name is spelled in the GSM alphabet if possible, and cut so that
/// the text takes one segment if the link allows. Any other name stays as it is, and is cut so that the text
/// takes three. A name that became a web address by spelling or cutting loses its dots and slashes.
fn text(to: &ForGuest<'_>, rest: &str) -> String {
    let list = plain(&to.list.to_string());
    let spelled = gsm::spell(&list).filter(|_| is_gsm(rest));
    let segments_min = if spelled.is_some() { 1 } else { UTF_16_SEGMENTS_MAX };
    let name = spelled.unwrap_or(list);

    let whole = |name: &str| format!("{}{rest}", without_needless_isolates(&isolate(name)));
    let short: String = name.graphemes(true).take(NAME_GRAPHEMES_MIN).collect();
    let segments_max = segments(&whole(&short)).max(segments_min);
    let name = cut(&name, |name| segments(&whole(name)) <= segments_max);
    if holds_web_address(&name) { whole(&name.replace(['.', '/', ':'], " ")) } else { whole(&name) }
}

/// How long the table is held: until a wall-clock time, or in minutes when the clock is set forward or back
/// before the hold ends.
fn held(to: &ForGuest<'_>) -> String {
    let clock = |format| to.zone.wall_clock(to.hold_until, format);
    let left_ms = to.hold_until.millis() - to.now.millis();
    let minutes = ((left_ms + MINUTE_MS / 2) / MINUTE_MS).max(1);
    match (to.language, to.zone.tells(to.hold_until, to.now)) {
        (Language::En, true) => format!("until {}", clock("%-I:%M %p")),
        (Language::En, false) if minutes == 1 => "for 1 minute".into(),
        (Language::En, false) => format!("for {minutes} minutes"),
        (Language::Es, true) if clock("%-H") == "1" => format!("hasta la {}", clock("%H:%M")),
        (Language::Es, true) => format!("hasta las {}", clock("%H:%M")),
        (Language::Es, false) if minutes == 1 => "durante 1 minuto".into(),
        (Language::Es, false) => format!("durante {minutes} minutos"),
    }
}

#[cfg(test)]
mod tests;
