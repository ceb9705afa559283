//! Names and prose: trimmed, bounded, and free of characters that mislead readers.

use super::{
    Invalid,
    characters::{is_blank, is_controlling, is_direction, is_hidden, is_misleading},
    web_address,
};
use crate::described::class;

/// Reads the name of a person or a list. Strangers choose names, and our messages show them, so a name must
/// be visible, must not rearrange the text around it, and must not become a link.
pub(super) fn name(raw: &str, chars_max: usize) -> Result<String, Invalid> {
    let name = label(&raw.replace('\t', " "), chars_max)?;
    if web_address::holds_encoded_word(&name) {
        return Err(Invalid(
            "must be the name itself and not an encoded word such as =?utf-8?q?Ana?=".into(),
        ));
    }
    if web_address::is_in(&name) {
        return Err(Invalid(
            "must be a name and not a web address; full stops are for initials and titles, as in J.R. Smith"
                .into(),
        ));
    }
    Ok(name)
}

/// Reads a line that others see: trimmed, visible, and free of characters that rearrange the text around it.
///
/// # Errors
/// The text is empty or too long, or holds control characters or invisible ones.
pub fn label(raw: &str, chars_max: usize) -> Result<String, Invalid> {
    let label = trimmed(raw, chars_max)?;
    if label.chars().any(is_controlling) {
        return Err(Invalid("must not contain control characters".into()));
    }
    if label.chars().any(is_hidden) {
        return Err(Invalid(
            "must not contain invisible characters or ones that turn the direction of writing".into(),
        ));
    }
    Ok(label)
}

/// Reads text that hosts write for hosts: several lines, links allowed. Line ends of every system become
/// `\n`, tabs become spaces.
pub(super) fn prose(raw: &str, chars_max: usize) -> Result<String, Invalid> {
    let raw = raw.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
    let prose = trimmed(&raw, chars_max)?;
    if prose.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Invalid("must not contain control characters".into()));
    }
    if prose.chars().any(is_direction) {
        return Err(Invalid("must not contain characters that turn the direction of writing".into()));
    }
    Ok(prose)
}

/// A pattern of the names that [`name`] takes, apart from those that read as a web address or an encoded word.
pub(super) fn name_pattern() -> String {
    pattern(|c| c != '\t' && is_misleading(c))
}

/// A pattern of the texts that [`prose`] takes.
pub(super) fn prose_pattern() -> String {
    pattern(|c| (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || is_direction(c))
}

/// No forbidden characters, and at least one that is visible.
fn pattern(is_forbidden: impl Fn(char) -> bool) -> String {
    let allowed = class(&is_forbidden);
    let visible = class(|c| is_forbidden(c) || is_blank(c) || c.is_control());
    format!("^[^{allowed}]*[^{visible}][^{allowed}]*$")
}

fn trimmed(raw: &str, chars_max: usize) -> Result<String, Invalid> {
    let trimmed = raw.trim();
    let chars = trimmed.chars().count();
    if chars == 0 || chars > chars_max || trimmed.chars().all(is_blank) {
        return Err(Invalid(format!(
            "must be 1 to {chars_max} characters, not only spaces and invisible ones"
        )));
    }
    Ok(trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_visible_and_does_not_rearrange_the_text_around_it() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        for allowed in [
            "Ana",
            "Zoë",
            "O'Brien-Smith",
            "علی\u{200c}رضا",
            "क\u{94d}\u{200d}ष",
            "山田 太郎",
            "\u{2764}\u{fe0f}",
            family,
        ] {
            assert_eq!(name(allowed, 100).as_deref(), Ok(allowed));
        }
        for hidden in [
            "A\u{200b}na",
            "\u{200e}Ana",
            "Ana\u{200f}",
            "A\u{202e}na",
            "\u{2066}Ana\u{2069}",
            "A\u{2060}na",
            "A\u{2063}na",
            "\u{feff}Ana",
            "A\u{ad}na",
            "A\u{61c}na",
            "A\u{180e}na",
            "Ana\u{e0041}\u{e007f}",
            "A\u{2028}na",
            "A\u{85}na",
            "two\nlines",
        ] {
            assert!(name(hidden, 100).is_err(), "{hidden:?}");
        }
        for blank in [
            "",
            " \u{a0}\u{3000} ",
            "\u{200d}",
            "\u{200c} \u{200d}",
            "\u{3164}",
            "\u{2800}\u{2800}",
            "\u{fe0f}",
            "\u{115f}\u{1160}",
        ] {
            assert_eq!(
                name(blank, 100).unwrap_err().0,
                "must be 1 to 100 characters, not only spaces and invisible ones",
                "{blank:?}"
            );
        }
    }

    #[test]
    fn links_are_refused_in_names_and_allowed_in_notes() {
        for address in ["https://bit.ly/x", "Ana exam\u{200d}ple.\u{200c}com"] {
            assert!(
                name(address, 100).unwrap_err().0.starts_with("must be a name and not a web address"),
                "{address:?}"
            );
        }
        let encoded = name("=?utf-8?q?Free_phone_at_evil=2Ecom/x?=", 100).unwrap_err();
        assert!(encoded.0.contains("encoded word"), "{encoded}");
        assert!(prose("see https://example.com/menu", 500).is_ok());
    }

    #[test]
    fn a_tab_in_a_name_becomes_a_space() {
        assert_eq!(name("Ana\tMaria\t", 100).as_deref(), Ok("Ana Maria"));
    }

    #[test]
    fn a_note_may_have_lines_but_does_not_turn_the_direction_of_writing() {
        for allowed in ["window seat\nhigh chair", "a\u{200b}b", "\u{200f}שלום"] {
            assert_eq!(prose(allowed, 500).as_deref(), Ok(allowed));
        }
        for refused in ["\u{202e}evil", "\u{2067}evil", "\u{200b}\n\u{200d}", "a\u{0}b", "a\u{1b}b", ""] {
            assert!(prose(refused, 500).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn line_ends_of_every_system_are_the_same() {
        for sent in ["window seat\r\nhigh chair\r\n", "window seat\rhigh chair", "window\tseat\nhigh chair"] {
            assert_eq!(prose(sent, 500).as_deref(), Ok("window seat\nhigh chair"), "{sent:?}");
        }
        let crlf = "x\r\n".repeat(250);
        assert!(prose(&crlf, 500).is_ok(), "a line end counts once");
    }
}
