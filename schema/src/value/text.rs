//! Text as people write it: trimmed, within its length, and showing what it holds.

use super::{Invalid, web_address};

/// A name: of a person, or of a list. It goes out in messages and stands alone on a line, so it must be seen, must not
/// rearrange what stands around it, and leads nowhere.
pub(super) fn name(raw: &str, chars_max: usize) -> Result<String, Invalid> {
    let name = trimmed(raw, chars_max)?;
    if name.chars().any(|c| c.is_control() || is_line_end(c)) {
        return Err(Invalid("must not contain control characters".into()));
    }
    if name.chars().any(|c| is_format(c) && !is_joiner(c)) {
        return Err(Invalid(
            "must not contain invisible characters or ones that turn the direction of writing".into(),
        ));
    }
    let plain: String = name.chars().filter(|c| !is_blank(*c) || c.is_whitespace()).collect();
    if web_address::is_in(&plain) {
        return Err(Invalid(
            "must be a name and not a web address; full stops are for initials and titles, as in J.R. Smith"
                .into(),
        ));
    }
    Ok(name)
}

/// What a host writes for hosts: several lines, links and all.
pub(super) fn prose(raw: &str, chars_max: usize) -> Result<String, Invalid> {
    let prose = trimmed(raw, chars_max)?;
    if prose.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Invalid("must not contain control characters".into()));
    }
    if prose.chars().any(is_direction) {
        return Err(Invalid("must not contain characters that turn the direction of writing".into()));
    }
    Ok(prose)
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

/// Characters that show nothing by themselves. Some are at home inside words: joiners in Persian, Hindi and emoji, fillers in old
/// Korean, variation selectors behind any emoji.
pub(super) fn is_blank(c: char) -> bool {
    let is_filler = matches!(
        c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
    );
    let is_selector =
        matches!(c, '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    c.is_whitespace() || is_format(c) || is_filler || is_selector
}

/// Unicode's format characters (Cf), but for those that are seen, such as Arabic's number signs.
fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{70f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'..='\u{e007f}')
}

/// Format characters that decide how the letters beside them look: some scripts cannot do without.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Embeddings, overrides and isolates: what stands behind them may read as something else than what it is.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_seen_and_leaves_its_surroundings_alone() {
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
    fn a_name_leads_nowhere_and_a_note_may() {
        for address in ["https://bit.ly/x", "Ana exam\u{200d}ple.\u{200c}com"] {
            assert!(
                name(address, 100).unwrap_err().0.starts_with("must be a name and not a web address"),
                "{address:?}"
            );
        }
        assert!(prose("see https://example.com/menu", 500).is_ok());
    }

    #[test]
    fn a_note_has_lines_and_reads_as_it_is_written() {
        for allowed in ["window seat\nhigh chair", "a\u{200b}b", "\u{200f}שלום"] {
            assert_eq!(prose(allowed, 500).as_deref(), Ok(allowed));
        }
        for refused in ["\u{202e}evil", "\u{2067}evil", "\u{200b}\n\u{200d}", "a\u{0}b", "a\rb", ""] {
            assert!(prose(refused, 500).is_err(), "{refused:?}");
        }
    }
}
