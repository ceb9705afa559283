//! The GSM alphabet of texts (3GPP TS 23.038, section 6.2.1), and the spelling of other characters in it.

use std::borrow::Cow;

use any_ascii::any_ascii_char;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::{
    CodePointMapData,
    props::{GeneralCategory, Script},
};

/// The basic alphabet: each character takes one septet.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// The extension: each character takes two septets, an escape and its code.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Signs that have a spelling in the alphabet.
const SIGNS: [(&str, &str); 10] = [
    ("\u{2018}\u{2019}\u{201a}\u{201b}\u{2032}\u{2039}\u{203a}\u{2b9}\u{2bb}\u{2bc}`´", "'"),
    ("\u{201c}\u{201d}\u{201e}\u{201f}\u{2033}«»", "\""),
    ("\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}\u{2043}·", "-"),
    ("•∙", "*"),
    ("×", "x"),
    ("\u{2044}÷", "/"),
    ("®", "(R)"),
    ("©", "(C)"),
    ("¢", "c"),
    ("µ", "u"),
];

/// The septets that a character takes; `None` when it is not in the alphabet.
pub(super) fn septets(char: char) -> Option<usize> {
    match char {
        char if BASIC.contains(char) => Some(1),
        char if EXTENSION.contains(char) => Some(2),
        _ => None,
    }
}

/// The name spelled in the alphabet so that it reads as the same name; `None` when it has other letters than
/// Latin ones, or signs without a spelling, such as emoji.
///
/// Latin letters lose the accents that the alphabet lacks, ligatures and compatibility characters come apart,
/// and signs are written out.
pub(super) fn spell(name: &str) -> Option<String> {
    let mut spelled = String::with_capacity(name.len());
    for char in ComposingNormalizerBorrowed::new_nfc().normalize(name).chars() {
        match spell_char(char, &spelled) {
            Some(spelling) => spelled.push_str(&spelling),
            None => spell_parts(char, &mut spelled)?,
        }
    }
    Some(spelled)
}

/// The spelling of a character that follows `before`.
fn spell_char(char: char, before: &str) -> Option<Cow<'static, str>> {
    if septets(char).is_some() {
        return Some(char.to_string().into());
    }
    if let Some((_, spelling)) = SIGNS.iter().find(|(signs, _)| signs.contains(char)) {
        return Some((*spelling).into());
    }
    if char == '°' {
        return Some(if before.ends_with(['n', 'N']) { "o" } else { "deg" }.into()); // N°5 is a number
    }
    let is_accent = CodePointMapData::<GeneralCategory>::new().get(char) == GeneralCategory::NonspacingMark;
    if is_accent && before.ends_with(char::is_alphabetic) {
        return Some("".into());
    }
    let letters = any_ascii_char(char);
    let is_latin = CodePointMapData::<Script>::new().get(char) == Script::Latin;
    (is_latin && !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .then(|| letters.into())
}

/// Spells a compatibility character by its parts: `½` by `1/2`, `™` by `TM`.
fn spell_parts(char: char, spelled: &mut String) -> Option<()> {
    let whole = char.to_string();
    let parts = ComposingNormalizerBorrowed::new_nfkc().normalize(&whole);
    if parts == whole {
        return None;
    }
    if spelled.ends_with(|last: char| last.is_ascii_digit())
        && parts.starts_with(|first: char| first.is_ascii_digit())
    {
        spelled.push(' '); // `9½` is not `91/2`
    }
    for part in parts.chars() {
        let spelling = spell_char(part, spelled)?;
        spelled.push_str(&spelling);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_character_takes_a_septet_or_two_or_is_not_in_the_alphabet() {
        for (char, expected) in [
            ('a', Some(1)),
            ('¿', Some(1)),
            ('à', Some(1)),
            ('€', Some(2)),
            ('[', Some(2)),
            ('á', None),
            ('寿', None),
        ] {
            assert_eq!(septets(char), expected, "{char}");
        }
        assert_eq!(
            (BASIC.chars().count(), EXTENSION.chars().count()),
            (127, 10),
            "the 128th code is the escape"
        );
    }

    #[test]
    fn a_name_is_spelled_in_the_alphabet_when_it_reads_as_the_same_name() {
        for (name, spelled) in [
            ("Café Ñandú", "Café Ñandu"),
            ("L’Épicerie – Łódź", "L'Épicerie - Lodz"),
            ("Größe", "Größe"),
            ("Cafe\u{301} Žižkov, Timişoara", "Café Zizkov, Timisoara"),
            ("Phở Hòa ở Quận 1", "Pho Hòa o Quan 1"),
            ("Ph\u{6f}\u{31b}\u{309} Thìn", "Pho Thìn"),
            ("Cœur de bœuf Œuvre", "Coeur de boeuf Oeuvre"),
            ("Wait… here", "Wait... here"),
            ("Bar 5° · N°5 · Nº 6", "Bar 5deg - No5 - No 6"),
            ("Tom® & Jo© & Al™", "Tom(R) & Jo(C) & AlTM"),
            ("Platform 9¾, ½ price", "Platform 9 3/4, 1/2 price"),
            ("ﬁne Ⅳ ＳＵＳＨＩ", "fine IV SUSHI"),
            ("«Zum Löwen» „Alt“", "\"Zum Löwen\" \"Alt\""),
            ("Şəhər ığdır Þór Đà", "Seher igdir Thor Dà"),
            ("4×4 • a\u{a0}b\u{2009}c", "4x4 * a b c"),
        ] {
            assert_eq!(spell(name).as_deref(), Some(spelled), "{name}");
        }
        for name in
            ["寿司 Tanaka", "Zum 🍜", "Борщ", "שלום", "Ταβέρνα", "ガスト", "Bar ♥", "㈱", "¨", "a\u{200d}b"]
        {
            assert_eq!(spell(name), None, "{name}");
        }
        assert!(SIGNS.iter().all(|(_, spelling)| spelling.chars().all(|char| septets(char) == Some(1))));
    }

    proptest! {
        #[test]
        fn a_spelled_name_is_in_the_alphabet(name in r"[ -ɏḀ-ỿ \u{2000}-\u{215f}]{0,20}|\PC{0,20}") {
            if let Some(spelled) = spell(&name) {
                prop_assert!(spelled.chars().all(|char| septets(char).is_some()), "{}", spelled);
            }
        }
    }
}
