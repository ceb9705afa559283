//! Spans of time as they are typed.

use std::time::Duration;

/// Reads a whole number and a unit: `90s`, `15m`, `2h`, `7d`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration: write a whole number and s, m, h or d, such as 15m");
    let unit_s = text.chars().last().and_then(|unit| {
        Some(match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        })
    });
    let unit_s: u64 = unit_s.ok_or_else(wrong)?;
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    number.checked_mul(unit_s).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, seconds) in [("0s", 0), ("90s", 90), ("15m", 900), ("2h", 7_200), ("7d", 604_800)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)));
        }
        for text in
            ["", "m", "15", "-15m", "1.5h", "15 m", "15ü", "99999999999999999999s", "9999999999999999999d"]
        {
            assert!(parse(text).unwrap_err().contains("such as 15m"), "{text}");
        }
    }
}
