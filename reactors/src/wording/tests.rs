//! Snapshots of every message in every language, and properties that hold for all names.

use proptest::prelude::*;

use schema::{
    Time,
    value::{ListName, holds_web_address},
};

use super::{
    segment::{is_gsm, segments},
    *,
};

/// Words that carriers take for an opt-out, or answer themselves.
/// <https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords.html>
const KEYWORDS: [&str; 21] = [
    "stop",
    "stopall",
    "end",
    "cancel",
    "quit",
    "unsubscribe",
    "arret",
    "remove",
    "optout",
    "opt-out",
    "td",
    "help",
    "info",
    "alto",
    "baja",
    "fin",
    "unstop",
    "cancelar",
    "parar",
    "ayuda",
    "start",
];

pub(super) const LINK: &str = "https://waitlist.example/visit#AZJ7h1ZzcACAAAAAAAAAB2Zx0o8l5Sg4Xk8nWf9mTqE";

pub(super) const LANGUAGES: [Language; 2] = [Language::En, Language::Es];

pub(super) type ToGuest<T> = (&'static str, fn(&ForGuest<'_>) -> T);
type ToOwner = (&'static str, u64, fn(&ForOwner<'_>) -> Worded);

pub(super) const TEXTS: [ToGuest<String>; 2] =
    [("table-ready", table_ready_text), ("reminder", reminder_text)];
pub(super) const GUEST_MAILS: [ToGuest<Worded>; 2] =
    [("table-ready", table_ready_mail), ("reminder", reminder_mail)];
/// The mails to owners, with the validity of their links in hours.
const OWNER_MAILS: [ToOwner; 3] = [
    ("welcome", 7 * 24, welcome),
    ("confirmation", 7 * 24, confirmation),
    ("password-reset", 1, password_reset),
];

pub(super) fn to_guest<T>(
    language: Language,
    list: &str,
    guest: &str,
    words: impl Fn(&ForGuest<'_>) -> T,
) -> T {
    let (list, guest) = (list.parse().unwrap(), Name::parse(guest).unwrap());
    let (now, hold_until) =
        ("2026-11-21T03:42:30Z".parse().unwrap(), "2026-11-21T03:52:30Z".parse().unwrap());
    let zone = &"America/Los_Angeles".parse().unwrap();
    words(&ForGuest { language, list: &list, guest: &guest, now, hold_until, zone, link: LINK })
}

fn to_owner(language: Language, name: &str, hours: u64, words: impl Fn(&ForOwner<'_>) -> Worded) -> Worded {
    let good_for = Duration::from_secs(hours * 3_600);
    words(&ForOwner {
        language,
        name: &Name::parse(name).unwrap(),
        link: "https://waitlist.example/confirm#token",
        good_for,
    })
}

fn shown(mail: &Worded) -> String {
    format!("Subject: {}\n\n{}\n----\n{}", mail.subject, mail.text, mail.html)
}

#[test]
fn messages_are_worded_as_in_their_snapshots() {
    for language in LANGUAGES {
        for (kind, words) in TEXTS {
            insta::assert_snapshot!(
                format!("{kind}-text-{language}"),
                to_guest(language, "Casa Lucía", "Ana María", words)
            );
        }
        for (kind, words) in GUEST_MAILS {
            insta::assert_snapshot!(
                format!("{kind}-mail-{language}"),
                shown(&to_guest(language, "Tom & Jo's <Grill>", "Ana María", words))
            );
        }
        for (kind, hours, words) in OWNER_MAILS {
            insta::assert_snapshot!(
                format!("{kind}-mail-{language}"),
                shown(&to_owner(language, "Ana María", hours, words))
            );
        }
    }
}

#[test]
fn no_word_of_a_message_is_an_opt_out() {
    let mut all = Vec::new();
    for language in LANGUAGES {
        all.extend(TEXTS.map(|(_, words)| to_guest(language, "A", "A", words)));
        all.extend(GUEST_MAILS.map(|(_, words)| shown(&to_guest(language, "A", "A", words))));
        all.extend(OWNER_MAILS.map(|(_, hours, words)| shown(&to_owner(language, "A", hours, words))));
    }
    for text in all {
        for word in text
            .to_lowercase()
            .replace(&LINK.to_lowercase(), "")
            .split(|char: char| !char.is_alphanumeric() && char != '-')
        {
            assert!(!KEYWORDS.contains(&word), "{word}: {text}");
        }
    }
}

#[test]
fn the_validity_of_a_link_is_told_in_the_largest_whole_unit() {
    let words = |language, hours: u64| {
        let (name, good_for) = (Name::parse("Ana").unwrap(), Duration::from_secs(hours * 3_600));
        span(&ForOwner { language, name: &name, link: "", good_for })
    };
    assert_eq!(
        [1, 2, 24, 168].map(|hours| words(Language::En, hours)),
        ["1 hour", "2 hours", "1 day", "7 days"]
    );
    assert_eq!(
        [1, 2, 24, 168].map(|hours| words(Language::Es, hours)),
        ["1 hora", "2 horas", "1 día", "7 días"]
    );
}

proptest! {
    #[test]
    fn a_message_is_well_formed_with_any_names(list in "\\PC{1,100}", guest in "\\PC{1,100}", latin in "[ -~áéíóúñÑçßł]{1,100}") {
        for language in LANGUAGES {
            for list in [&list, &latin] {
                let (Ok(list), Ok(guest)) = (list.parse::<ListName>(), Name::parse(&guest)) else { continue };
                let zone = &"America/Los_Angeles".parse().unwrap();
                let (now, hold_until) = (Time::from_millis(0), Time::from_millis(600_000));
                let to = ForGuest { language, list: &list, guest: &guest, now, hold_until, zone, link: LINK };
                for (_, words) in TEXTS {
                    let text = words(&to);
                    prop_assert!(text.ends_with(LINK) && !text.chars().any(char::is_control));
                    prop_assert!(!holds_web_address(text.strip_suffix(LINK).unwrap_or_default()), "{}", text);
                    prop_assert!(segments(&text) <= if is_gsm(&text) { 1 } else { 3 }, "{}", text);
                }
                for (_, words) in GUEST_MAILS {
                    let mail = words(&to);
                    prop_assert!(!mail.subject.chars().any(char::is_control) && mail.text.contains(LINK));
                    let tags = mail.html.matches('<').count();
                    prop_assert_eq!(tags, to_guest(language, "A", "A", words).html.matches('<').count(), "names add no tags");
                }
            }
        }
    }
}
