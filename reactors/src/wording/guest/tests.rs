use super::*;
use crate::wording::tests::{GUEST_MAILS, LANGUAGES, LINK, TEXTS, to_guest};

#[test]
fn a_text_is_one_segment_and_keeps_its_link() {
    for language in LANGUAGES {
        for (kind, words) in TEXTS {
            for list in [
                "Casa Lucía",
                "The Restaurant at the Door",
                &"Long Name ".repeat(9),
                "[{Brackets}] & ~Tildes~",
            ] {
                let text = to_guest(language, list, "Ana", words);
                assert!(is_gsm(&text) && segments(&text) == 1, "{kind} {language} {list}: {text}");
                assert!(text.ends_with(LINK));
            }
            let whole = to_guest(language, "The Restaurant at the Doo", "Ana", words);
            assert!(
                whole.starts_with("The Restaurant at the Doo:"),
                "{kind} {language}: a name of 25 letters is not cut: {whole}"
            );
        }
    }
}

#[test]
fn a_name_in_another_script_stays_as_it_is() {
    let text = to_guest(Language::En, "寿司 Tanaka", "Ana", table_ready_text);
    assert!(text.starts_with("寿司 Tanaka: your table") && text.ends_with(LINK));
}

#[test]
fn a_name_is_no_web_address_after_spelling_or_cutting() {
    let name = |list: &str| {
        to_guest(Language::En, list, "Ana", table_ready_text).split_once(": your table").unwrap().0.to_owned()
    };
    for list in ["Win at evil.çom", "bit.lý", "evil.c\u{301}om", "w\u{301}ww.x.y"] {
        assert!(!holds_web_address(&name(list)), "{list}: {}", name(list));
    }
    assert_eq!(name("Win at evil.çom"), "Win at evil com");
    for padding in 0..60 {
        let list = format!("{}{padding} evil.commonplace", "a".repeat(padding));
        assert!(!holds_web_address(&name(&list)), "{list}: {}", name(&list));
    }
}

#[test]
fn a_name_in_another_script_takes_three_segments_at_most() {
    let text = to_guest(Language::En, &"寿".repeat(100), "Ana", table_ready_text);
    assert!(segments(&text) == 3 && text.ends_with(LINK), "{text}");
}

#[test]
fn a_special_character_does_not_make_a_text_take_another_segment() {
    for list in
        ["Le Bœuf", "Wait…", "Bar 5°", "Tom®", "Phở Hòa", "N°5 “Alt” – ﬁne", "Cafe\u{301}", "ＳＵＳＨＩ"]
    {
        for (kind, words) in TEXTS {
            let text = to_guest(Language::En, list, "Ana", words);
            assert!(is_gsm(&text) && segments(&text) == 1, "{kind} {list}: {text}");
        }
    }
}

#[test]
fn a_name_of_flags_is_cut_between_flags() {
    let text = to_guest(Language::En, &"🇫🇷".repeat(50), "Ana", table_ready_text);
    let name = text.split_once(": your table").unwrap().0;
    assert_eq!(name, format!("{}...", "🇫🇷".repeat(name.matches("🇫🇷").count())));
}

#[test]
fn a_long_link_makes_a_text_take_two_segments_and_keeps_the_name() {
    let link = format!("https://waitlist.{}.example/visit#token", "a".repeat(100));
    let (list, guest) = ("The Restaurant at the Door".parse().unwrap(), Name::parse("Ana").unwrap());
    let (now, hold_until) = (Time::from_millis(0), Time::from_millis(600_000));
    let zone = &"UTC".parse().unwrap();
    let to =
        ForGuest { language: Language::En, list: &list, guest: &guest, now, hold_until, zone, link: &link };
    let text = table_ready_text(&to);
    assert!(text.starts_with("The Restaurant at the Door: ") && segments(&text) == 2, "{text}");
}

#[test]
fn a_name_that_runs_right_to_left_is_isolated_in_texts_and_mails() {
    let (list, guest) = ("מסעדת דן 5", "علي");
    let text = to_guest(Language::En, list, guest, table_ready_text);
    assert!(text.starts_with(&format!("\u{2068}{list}\u{2069}: your table is ready")), "{text}");
    let long = to_guest(Language::En, &"ש".repeat(100), guest, table_ready_text);
    assert!(long.contains("...\u{2069}: your table") && segments(&long) == 3, "{long}");
    for (kind, words) in GUEST_MAILS {
        let mail = to_guest(Language::En, list, guest, words);
        assert!(mail.subject.contains(&format!("\u{2068}{list}\u{2069}")), "{kind}: {}", mail.subject);
        assert!(mail.text.starts_with(&format!("Hello \u{2068}{guest}\u{2069},\n")), "{kind}: {}", mail.text);
        assert!(mail.text.contains(&format!("\u{2068}{list}\u{2069}")), "{kind}: {}", mail.text);
        assert!(mail.html.contains(&format!("<p>Hello <bdi>{guest}</bdi>,</p>")), "{kind}: {}", mail.html);
        assert!(mail.html.contains(&format!("<bdi>{list}</bdi>")), "{kind}: {}", mail.html);
    }
    let ours = to_guest(Language::En, "寿司 Tanaka", "Ana", table_ready_mail);
    assert!(!ours.text.contains('\u{2068}') && !ours.subject.contains('\u{2068}'), "{}", ours.text);
}

#[test]
fn one_o_clock_is_singular_in_spanish() {
    assert_eq!(held_at("2026-11-21T09:20:00Z", "2026-11-21T09:30:00Z", Language::Es), "hasta la 01:30");
    assert_eq!(held_at("2026-11-21T21:20:00Z", "2026-11-21T21:30:00Z", Language::Es), "hasta las 13:30");
}

#[test]
fn a_hold_is_told_in_minutes_when_the_clock_is_set_before_it_ends() {
    let held = |now, hold_until| LANGUAGES.map(|language| held_at(now, hold_until, language));
    let minutes = ["for 10 minutes", "durante 10 minutos"];
    assert_eq!(held("2027-11-07T08:55:00Z", "2027-11-07T09:05:00Z"), minutes); // 01:55 PDT to 01:05 PST
    assert_eq!(held("2027-11-07T08:55:02Z", "2027-11-07T09:05:00Z"), minutes); // worded two seconds later
    assert_eq!(held("2027-11-07T07:55:00Z", "2027-11-07T08:05:00Z"), minutes); // 01:05 comes twice
    assert_eq!(held("2027-03-14T09:55:00Z", "2027-03-14T10:05:00Z"), minutes); // 01:55 PST to 03:05 PDT
    let minute = ["for 1 minute", "durante 1 minuto"];
    assert_eq!(held("2027-11-07T08:59:00Z", "2027-11-07T09:00:10Z"), minute);
    assert_eq!(held("2027-11-07T09:05:00Z", "2027-11-07T09:15:00Z"), ["until 1:15 AM", "hasta la 01:15"]);
}

#[test]
fn a_hold_is_told_by_the_rules_of_a_zone_that_no_longer_sets_its_clock() {
    let zone = &"America/Vancouver".parse().unwrap();
    let (list, guest) = ("A".parse().unwrap(), Name::parse("A").unwrap());
    let (now, hold_until) =
        ("2026-11-25T13:37:00Z".parse().unwrap(), "2026-11-25T13:47:00Z".parse().unwrap());
    let to =
        ForGuest { language: Language::En, list: &list, guest: &guest, now, hold_until, zone, link: LINK };
    assert!(table_ready_text(&to).contains("held until 6:47 AM"), "{}", table_ready_text(&to));
}

/// The words for a hold on a list in Los Angeles.
fn held_at(now: &str, hold_until: &str, language: Language) -> String {
    let zone = &"America/Los_Angeles".parse().unwrap();
    let (list, guest) = ("A".parse().unwrap(), Name::parse("A").unwrap());
    let (now, hold_until) = (now.parse().unwrap(), hold_until.parse().unwrap());
    held(&ForGuest { language, list: &list, guest: &guest, now, hold_until, zone, link: LINK })
}
