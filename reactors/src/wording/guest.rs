//! Messages to guests: the table is ready, and it is not held for much longer.

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

/// A name that is not in the alphabet of texts is cut where the text would take more segments than this. Our own words and
/// a link take two.
const UTF_16_SEGMENTS_MAX: usize = 3;

/// A name that is cut keeps so many characters at least, also where a long link makes the text take a segment more for them.
const NAME_GRAPHEMES_MIN: usize = 20;

const MINUTE_MS: i64 = 60_000;

/// The values that a message to a guest mentions.
#[derive(Clone, Copy)]
pub struct ForGuest<'a> {
    pub language: Language,
    /// The name of the restaurant's list.
    pub list: &'a ListName,
    /// The guest's name.
    pub guest: &'a Name,
    /// When the message is worded.
    pub now: Time,
    /// Until when the table is held.
    pub hold_until: Time,
    /// The list's time zone.
    pub zone: &'a Zone,
    /// The page where the guest confirms or leaves.
    pub link: &'a str,
}

#[must_use]
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

#[must_use]
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

#[must_use]
pub fn table_ready_mail(to: &ForGuest<'_>) -> Worded {
    let (list, held) = (isolate(&to.list.to_string()), held(to));
    mail(
        to.language,
        to.guest.clear(),
        to.link,
        match to.language {
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
        },
    )
}

#[must_use]
pub fn reminder_mail(to: &ForGuest<'_>) -> Worded {
    let (list, held) = (isolate(&to.list.to_string()), held(to));
    mail(
        to.language,
        to.guest.clear(),
        to.link,
        match to.language {
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
        },
    )
}

/// A text of the list's name and `rest`. A name that can be spelled in the alphabet of texts is, and cut so that one segment
/// is enough if the link allows; any other stays as it is, and is cut where three are full. Spelled or cut, a name still is no
/// web address.
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

/// For how long the table is held: by the wall clock, or in minutes where the clock is set forward or back meanwhile.
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
