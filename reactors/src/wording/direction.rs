//! Isolation of names that run from right to left within words that run from left to right.
//! Unicode Standard Annex #9, section 2.4: <https://www.unicode.org/reports/tr9/>

use icu_properties::{CodePointMapData, props::BidiClass};

/// The character FSI, and its HTML tag.
const FIRST_STRONG_ISOLATE: (char, &str) = ('\u{2068}', "<bdi>");

/// The character PDI, and its HTML tag.
const POP_DIRECTIONAL_ISOLATE: (char, &str) = ('\u{2069}', "</bdi>");

/// The name without control characters, of lines or of direction.
pub(super) fn plain(name: &str) -> String {
    let is_direction = |char: &char| matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_line_end = |char| matches!(char, '\u{2028}' | '\u{2029}');
    name.chars()
        .filter(|char| !is_direction(char))
        .map(|char| if char.is_control() || is_line_end(char) { ' ' } else { char })
        .collect()
}

/// The plain name between isolates, so that its direction does not affect the words around it.
pub(super) fn isolate(name: &str) -> String {
    format!("{}{}{}", FIRST_STRONG_ISOLATE.0, plain(name), POP_DIRECTIONAL_ISOLATE.0)
}

/// The words as plain text: isolates stay only around names with letters that run from right to left. The GSM
/// alphabet has neither such letters nor isolates.
pub(super) fn without_needless_isolates(words: &str) -> String {
    let (open, close) = (FIRST_STRONG_ISOLATE.0, POP_DIRECTIONAL_ISOLATE.0);
    let mut pieces = words.split(open);
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once(close) {
            Some((name, rest)) if !runs_right_to_left(name) => text.extend([name, rest]),
            Some(_) | None => {
                text.push(open);
                text.push_str(piece);
            }
        }
    }
    text
}

/// The words as HTML. They are escaped already.
pub(super) fn isolates_as_html(escaped: &str) -> String {
    [FIRST_STRONG_ISOLATE, POP_DIRECTIONAL_ISOLATE]
        .iter()
        .fold(escaped.to_owned(), |words, (char, tag)| words.replace(*char, tag))
}

fn runs_right_to_left(name: &str) -> bool {
    let classes = CodePointMapData::<BidiClass>::new();
    name.chars().any(|char| {
        let class = classes.get(char);
        class == BidiClass::RightToLeft
            || class == BidiClass::ArabicLetter
            || class == BidiClass::ArabicNumber
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_run_right_to_left_stay_isolated() {
        for name in ["שלום", "مطعم 5", "Cafe שלום", "٥"] {
            let words = format!("At {}, now", isolate(name));
            assert_eq!(without_needless_isolates(&words), format!("At \u{2068}{name}\u{2069}, now"));
            assert_eq!(isolates_as_html(&words), format!("At <bdi>{name}</bdi>, now"));
        }
        for name in ["Casa Lucía", "寿司", "5 & 6", ""] {
            let words = format!("{} and {}", isolate(name), isolate("שלום"));
            assert_eq!(without_needless_isolates(&words), format!("{name} and \u{2068}שלום\u{2069}"));
        }
    }

    #[test]
    fn a_plain_name_has_one_line_and_one_direction() {
        assert_eq!(plain("two\nlines\u{2028}\u{202e}evil\u{2069}"), "two lines evil");
    }
}
