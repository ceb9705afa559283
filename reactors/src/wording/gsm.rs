//! The alphabet of texts: 3GPP TS 23.038, section 6.2.1. A text in it fits 160 septets into one segment, any other 70 characters.

/// Septets of one segment.
pub(super) const SEGMENT_SEPTETS: usize = 160;

/// What three segments hold of any text: 67 of UTF-16's units each. Our own words and a link take two.
pub(super) const SEGMENTS_UNITS: usize = 3 * 67;

/// The basic alphabet, a septet each.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Its extension: these take two.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Letters that names have and the alphabet has not, and what a reader takes for them.
const ALIKE: [(&str, char); 33] = [
    ("áâãāăą", 'a'),
    ("ÁÀÂÃĀĂĄ", 'A'),
    ("çćčĉ", 'c'),
    ("ĆČĈ", 'C'),
    ("ďđð", 'd'),
    ("ĎĐÐ", 'D'),
    ("êëēěęė", 'e'),
    ("ÈÊËĒĚĘĖ", 'E'),
    ("ğĝģġ", 'g'),
    ("ĞĜĢĠ", 'G'),
    ("íîïīıį", 'i'),
    ("ÍÌÎÏĪİĮ", 'I'),
    ("ķ", 'k'),
    ("Ķ", 'K'),
    ("łľĺļ", 'l'),
    ("ŁĽĹĻ", 'L'),
    ("ńňņ", 'n'),
    ("ŃŇŅ", 'N'),
    ("óôõōőơ", 'o'),
    ("ÓÒÔÕŌŐƠ", 'O'),
    ("řŕ", 'r'),
    ("ŘŔ", 'R'),
    ("śšşș", 's'),
    ("ŚŠŞȘ", 'S'),
    ("ťțţ", 't'),
    ("ŤȚŢ", 'T'),
    ("úûūůűųũư", 'u'),
    ("ÚÙÛŪŮŰŲŨƯ", 'U'),
    ("ýÿ", 'y'),
    ("ÝŸ", 'Y'),
    ("żźž", 'z'),
    ("ŻŹŽ", 'Z'),
    ("’‘`´", '\''),
];

/// Accents that stand behind the letter they belong to.
const ACCENTS: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';

/// How many septets a text takes; nothing when it is not in the alphabet.
#[must_use]
pub(super) fn septets(text: &str) -> Option<usize> {
    text.chars()
        .map(|char| match char {
            char if BASIC.contains(char) => Some(1),
            char if EXTENSION.contains(char) => Some(2),
            _ => None,
        })
        .sum()
}

/// A name in the alphabet, as near as a reader needs; nothing when it is written in another script.
#[must_use]
pub(super) fn spell(name: &str) -> Option<String> {
    name.chars()
        .filter(|char| !ACCENTS.contains(char))
        .map(|char| match char {
            char if char.is_control() => Some(' '),
            char if BASIC.contains(char) || EXTENSION.contains(char) => Some(char),
            '\u{a0}' | '\u{2009}' | '\u{202f}' => Some(' '),
            '–' | '—' | '‐' | '‑' => Some('-'),
            '“' | '”' | '„' | '«' | '»' => Some('"'),
            char => ALIKE.iter().find(|(letters, _)| letters.contains(char)).map(|(_, alike)| *alike),
        })
        .collect()
}

/// UTF-16's units: what a text takes that is not in the alphabet.
#[must_use]
pub(super) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The longest start of a text that takes at most so much, as `taken` says, marked where it was cut.
#[must_use]
pub(super) fn cut(text: &str, most: usize, taken: fn(&str) -> Option<usize>) -> String {
    const MARK: &str = "...";
    if taken(text).is_some_and(|taken| taken <= most) {
        return text.to_owned();
    }
    let mut kept = String::new();
    for char in text.chars() {
        kept.push(char);
        if taken(&kept).is_none_or(|taken| taken + MARK.len() > most) {
            kept.pop();
            break;
        }
    }
    format!("{}{MARK}", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_a_septet_for_each_character_and_two_for_some() {
        for (text, expected) in [
            ("", Some(0)),
            ("Señora Ñandú", None),
            ("¿Viene?", Some(7)),
            ("à la carte", Some(10)),
            ("5€ [x]", Some(9)),
        ] {
            assert_eq!(septets(text), expected, "{text}");
        }
        assert_eq!((BASIC.chars().count(), EXTENSION.chars().count()), (127, 10), "and the escape itself");
    }

    #[test]
    fn names_are_spelled_as_near_as_a_reader_needs() {
        for (name, expected) in [
            ("Café Ñandú", Some("Café Ñandu")),
            ("L’Épicerie – Łódź", Some("L'Épicerie - Lodz")),
            ("Größe", Some("Größe")),
            ("Cafe\u{301} Žižkov, Timişoara", Some("Cafe Zizkov, Timisoara")),
            ("two\nlines", Some("two lines")),
            ("寿司 Tanaka", None),
            ("Zum 🍜", None),
        ] {
            assert_eq!(spell(name).as_deref(), expected, "{name}");
        }
        for (letters, alike) in ALIKE {
            assert!(BASIC.contains(alike));
            assert!(letters.chars().all(|letter| !BASIC.contains(letter)), "{letters}");
        }
    }

    #[test]
    fn a_cut_text_says_so_and_fits() {
        assert_eq!(cut("The Long Name", 13, septets), "The Long Name");
        assert_eq!(cut("The Long Name", 12, septets), "The Long...");
        assert_eq!(cut("[[[[[[", 8, septets), "[[...");
        assert_eq!(cut("🍜🍜🍜🍜", 7, |text| Some(units(text))), "🍜🍜...");
    }
}
