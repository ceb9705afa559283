//! Segments: the parts in which a text is sent. Carriers charge by the segment.

use unicode_segmentation::UnicodeSegmentation;

use super::gsm;

/// The septets of the only segment, and of each of several, which have a header. 3GPP TS 23.040, section
/// 9.2.3.24.1.
const GSM: Capacity = Capacity { only: 160, each: 153 };

/// The UTF-16 units of a segment, for a text with a character that is not in the GSM alphabet.
const UTF_16: Capacity = Capacity { only: 70, each: 67 };

/// Ends a name that was cut. It is in the GSM alphabet.
const MARK: &str = "...";

struct Capacity {
    only: usize,
    each: usize,
}

/// Whether a text is sent in the GSM alphabet rather than in UTF-16.
pub(super) fn is_gsm(text: &str) -> bool {
    text.chars().all(|char| gsm::septets(char).is_some())
}

/// The number of segments that a text takes. An escape and its character, or a surrogate pair, are never
/// divided between two segments.
pub(super) fn segments(text: &str) -> usize {
    let sizes: Option<Vec<usize>> = text.chars().map(gsm::septets).collect();
    let (capacity, sizes) = match sizes {
        Some(septets) => (GSM, septets),
        None => (UTF_16, text.chars().map(char::len_utf16).collect()),
    };
    if sizes.iter().sum::<usize>() <= capacity.only {
        return 1;
    }
    let (mut segments, mut filled) = (1, 0);
    for size in sizes {
        if filled + size > capacity.each {
            segments += 1;
            filled = 0;
        }
        filled += size;
    }
    segments
}

/// The longest start of a name that fits, cut between graphemes and marked.
pub(super) fn cut(name: &str, fits: impl Fn(&str) -> bool) -> String {
    if fits(name) {
        return name.to_owned();
    }
    let marked = |end: usize| format!("{}{MARK}", name[..end].trim_end());
    let ends = name.grapheme_indices(true).map(|(start, grapheme)| start + grapheme.len());
    ends.map(marked).take_while(|cut| fits(cut)).last().unwrap_or_else(|| marked(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_as_many_segments_as_its_alphabet_needs() {
        for (text, expected) in [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("寿".repeat(70), 1),
            ("寿".repeat(71), 2),
            ("寿".repeat(134), 2),
            ("寿".repeat(135), 3),
            ("🍜".repeat(35), 1),
            ("🍜".repeat(66), 2), // 33 pairs in a segment, and one unit stays free
            ("🍜".repeat(67), 3),
            (format!("{}€{}", "a".repeat(152), "a".repeat(152)), 3), // the escape moves to the next segment with its character
            (format!("{}€{}", "a".repeat(151), "a".repeat(153)), 2),
        ] {
            assert_eq!(segments(&text), expected, "{} characters: {text}", text.chars().count());
        }
    }

    #[test]
    fn a_cut_name_is_marked_and_fits() {
        let within = |chars: usize| move |name: &str| name.chars().count() <= chars;
        assert_eq!(cut("The Long Name", within(13)), "The Long Name");
        assert_eq!(cut("The Long Name", within(12)), "The Long...");
        assert_eq!(cut("The Long Name", within(2)), "...");
    }

    #[test]
    fn a_name_is_cut_between_graphemes() {
        let within = |units: usize| move |name: &str| name.encode_utf16().count() <= units;
        let flags = "🇫🇷🇩🇪🇪🇸"; // two letters of two units each
        assert_eq!(cut(flags, within(7)), "🇫🇷...");
        assert_eq!(cut(flags, within(10)), "🇫🇷...");
        assert_eq!(cut(flags, within(11)), "🇫🇷🇩🇪...");
        let family = "👨\u{200d}👩\u{200d}👧";
        assert_eq!(cut(&format!("a{family}"), within(8)), "a...");
        assert_eq!(cut("क\u{94d}षत्र", within(5)), "...");
    }
}
