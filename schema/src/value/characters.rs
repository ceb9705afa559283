//! Classes of characters that are misused in names, and the normal forms in which text is compared.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// Unicode's form NFC: the same letters have the same code points, however they were typed.
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    const { ComposingNormalizerBorrowed::new_nfc() }.normalize(text)
}

/// The text without invisible characters, in Unicode's form NFKC: compatibility characters such as full-width
/// letters become plain ones. Some programs read text so.
pub(super) fn plain(text: &str) -> String {
    let seen: String = text.chars().filter(|c| !is_blank(*c) || c.is_whitespace()).collect();
    const { ComposingNormalizerBorrowed::new_nfkc() }.normalize(&seen).into_owned()
}

/// Characters that are invisible by themselves. Some are needed inside words: joiners in Persian, Hindi and
/// emoji, fillers in old Korean, variation selectors after emoji.
pub(super) fn is_blank(c: char) -> bool {
    let is_filler = matches!(
        c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
    );
    let is_selector =
        matches!(c, '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    c.is_whitespace() || is_format(c) || is_filler || is_selector
}

/// Unicode's format characters (Cf), except visible ones such as Arabic number signs.
pub(super) fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{70f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'..='\u{e007f}')
}

/// Format characters that change the letters beside them. Some scripts need them.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Embeddings, overrides and isolates, which can show the text after them in another order.
pub(super) fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that would control a terminal, hide, or rearrange the text around them.
#[must_use]
pub fn is_misleading(c: char) -> bool {
    is_controlling(c) || is_hidden(c)
}

pub(super) fn is_controlling(c: char) -> bool {
    c.is_control() || is_line_end(c)
}

/// Format characters that no script needs.
pub(super) fn is_hidden(c: char) -> bool {
    is_format(c) && !is_joiner(c)
}

pub(super) fn is_line_end(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}
