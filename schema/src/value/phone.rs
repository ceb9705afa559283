//! Telephone numbers, and the regions that assign them.

use std::{fmt, str::FromStr};

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType as Type, enums};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::{Invalid, Phone};

/// Counted as typed, with spaces and brackets.
pub(super) const PHONE_CHARS_MAX: usize = 64;

impl Phone {
    /// Reads a number as it is dialled in `region`, or an international one with a leading `+`. Digits may be
    /// of any script. The trunk prefix is left out, also in brackets: `+44 (0)20 7946 0958`.
    ///
    /// # Errors
    /// The text is no possible number.
    pub fn parse(raw: &str, region: Region) -> Result<Self, Invalid> {
        let number = Some(raw)
            .filter(|raw| raw.chars().count() <= PHONE_CHARS_MAX)
            .and_then(|raw| PHONE_NUMBER_UTIL.parse(raw, Some(region.0)).ok())
            .filter(PhoneNumber::is_valid);
        number.map(|number| Self(number.format_as(PhoneNumberFormat::E164).into_owned())).ok_or_else(|| {
            Invalid(format!(
                "must be a telephone number of {region}, or an international one with a leading +"
            ))
        })
    }

    /// Whether it can be a number of this region. A number in a range that regions share, as Finland and
    /// Åland do, is of each.
    #[must_use]
    pub fn is_of(&self, region: Region) -> bool {
        // The crate compares only the digits after the country code, by which +52 55 1234 5678 would be a
        // number of the US.
        let code = PHONE_NUMBER_UTIL.get_country_code_for_region(region.0);
        self.number()
            .is_some_and(|number| code == Some(number.country_code) && number.is_valid_for_region(region.0))
    }

    /// Whether it may be a mobile: not if it is known to be toll-free, premium rate or a fixed line.
    #[must_use]
    pub fn may_take_texts(&self) -> bool {
        self.number().is_some_and(|number| match number.get_type() {
            Type::TollFree | Type::PremiumRate | Type::FixedLine => false,
            Type::Mobile
            | Type::FixedLineOrMobile
            | Type::SharedCost
            | Type::VoIP
            | Type::PersonalNumber
            | Type::Pager
            | Type::UAN
            | Type::VoiceMail
            | Type::Unknown => true,
        })
    }

    fn number(&self) -> Option<PhoneNumber> {
        PHONE_NUMBER_UTIL.parse(&self.0, None).ok()
    }
}

/// A region with telephone numbers of its own: an ISO 3166-1 alpha-2 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct Region(enums::Region);

impl FromStr for Region {
    type Err = Invalid;

    fn from_str(raw: &str) -> Result<Self, Invalid> {
        let numbered = |region: &enums::Region| {
            PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some() && region.to_string() == raw
        };
        let region = raw.parse().ok().filter(|region| *region != enums::Region::World && numbered(region));
        region.map(Self).ok_or_else(|| Invalid("must be a two-letter country code such as US".into()))
    }
}

impl Region {
    /// The codes of all regions, in alphabetical order.
    pub(super) fn all() -> Vec<String> {
        let mut codes: Vec<_> =
            PHONE_NUMBER_UTIL.get_supported_regions().map(|region| region.to_string()).collect();
        codes.sort();
        codes
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sealed::Personal;

    const ADVICE: &str = "is the data about telephone numbers too old? Run `cargo update -p rlibphonenumber`";

    fn read(raw: &str, region: &str) -> Option<Phone> {
        Phone::parse(raw, region.parse().unwrap()).ok()
    }

    fn e164(raw: &str, region: &str) -> String {
        read(raw, region).map_or_else(|| format!("{raw} is refused"), |phone| phone.clear().to_owned())
    }

    fn takes_texts(raw: &str) -> bool {
        read(raw, "US").unwrap_or_else(|| panic!("{raw} is refused")).may_take_texts()
    }

    fn regions() -> impl Iterator<Item = enums::Region> {
        PHONE_NUMBER_UTIL.get_supported_regions()
    }

    #[test]
    fn a_phone_is_read_as_dialled_in_its_region() {
        for raw in [
            "(415) 555-2671",
            "415-555-2671",
            "+1 415 555 2671",
            "14155552671",
            "\u{202a}+1 415-555-2671\u{202c}",
        ] {
            assert_eq!(e164(raw, "US"), "+14155552671");
        }
        assert_eq!(e164("030 901820", "DE"), "+4930901820");
        assert_eq!(e164("02 3661 8300", "IT"), "+390236618300");
        assert_eq!(e164("8 (912) 345-67-89", "RU"), "+79123456789");
        for raw in ["", "12", "not a phone", "+999 123456789", "555-0100", &"1".repeat(500)] {
            assert_eq!(read(raw, "US"), None, "{raw}");
        }
    }

    #[test]
    fn digits_are_read_in_any_script() {
        for raw in [
            "０２０ ７９４６ ０９５８",
            "٠٢٠ ٧٩٤٦ ٠٩٥٨",
            "＋４４（０）２０ ７９４６ ０９５８",
            "+४४ २० ७९४६ ०९५८",
        ] {
            assert_eq!(e164(raw, "GB"), "+442079460958");
        }
        assert_eq!(e164("۰۹۱۲ ۱۲۳ ۴۵۶۷", "IR"), "+989121234567");
    }

    #[test]
    fn the_trunk_prefix_is_that_of_the_numbers_own_country() {
        for (raw, expected) in [
            ("+44 (0)20 7946 0958", "+442079460958"),
            ("+44 020 7946 0958", "+442079460958"),
            ("011 44 (0)20 7946 0958", "+442079460958"),
            ("+49 (0)30 901820", "+4930901820"),
            ("+61 (0)412 345 678", "+61412345678"),
            ("+81 (0)90-1234-5678", "+819012345678"),
            ("+7 (8) 495 123 45 67", "+74951234567"),
            ("+39 02 3661 8300", "+390236618300"), // Italy's 0 is part of the number
            ("+225 07 01 23 45 67", "+2250701234567"), // and so is Ivory Coast's
        ] {
            assert_eq!(e164(raw, "US"), expected);
        }
    }

    #[test]
    fn numbers_that_begin_with_a_zero_keep_their_type() {
        for (raw, region) in [("07 01 23 45 67", "CI"), ("01 95 12 34 56", "BJ"), ("06 123 4567", "CG")] {
            let phone = read(raw, region).unwrap_or_else(|| panic!("{raw} of {region} is refused: {ADVICE}"));
            assert!(phone.may_take_texts(), "{raw} of {region}");
        }
        assert!(takes_texts("+39 312 345 6789"));
        assert!(!takes_texts("+39 02 3661 8300"), "a fixed line in Milan");
    }

    #[test]
    fn only_numbers_known_to_take_no_texts_get_none() {
        for mobile in
            ["+1 415 555 2671", "+44 7400 123456", "+44 70 1234 5678", "+1 500 234 5678", "+49 30 901820"]
        {
            assert_eq!(takes_texts(mobile), mobile != "+49 30 901820", "{mobile}");
        }
        for deaf in ["+1 900 234 5678", "+1 800 234 5678", "+44 909 879 0000", "+44 20 7946 0958"] {
            assert!(!takes_texts(deaf), "{deaf}");
        }
    }

    #[test]
    fn a_number_is_of_the_regions_that_may_have_assigned_it() {
        let us: Region = "US".parse().unwrap();
        let is_of_us = |raw: &str| read(raw, "US").unwrap().is_of(us);
        assert!(is_of_us("+14155552671"));
        assert!(!is_of_us("+4930901820") && !is_of_us("+14165550123") && !is_of_us("+17872345678"));
        assert!(read("+14165550123", "US").unwrap().is_of("CA".parse().unwrap()));
        for (raw, region) in [
            ("+525512345678", "US"),
            ("+79123456789", "US"),
            ("+447911123456", "MX"),
            ("+14155552671", "MX"),
            ("+919876543210", "MX"),
            ("+447911123456", "IN"),
            ("+17012345678", "IN"),
            ("+917400123456", "GB"),
        ] {
            assert!(!read(raw, region).unwrap().is_of(region.parse().unwrap()), "{raw} is not of {region}");
        }
        // The Bahamas, Guernsey and Kazakhstan assign their own mobiles within a shared country code.
        for (raw, own, other) in
            [("+12423591234", "BS", "US"), ("+447781123456", "GG", "GB"), ("+77710009998", "KZ", "RU")]
        {
            let phone = read(raw, own).unwrap();
            assert!(phone.is_of(own.parse().unwrap()) && !phone.is_of(other.parse().unwrap()), "{raw}");
        }
    }

    #[test]
    fn the_mobiles_of_every_region_may_be_texted_there() {
        let mut mobiles = 0;
        for region in regions() {
            let Ok(example) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, Type::Mobile)
            else {
                continue;
            };
            mobiles += 1;
            for format in [PhoneNumberFormat::National, PhoneNumberFormat::International] {
                let typed = example.format_as(format);
                let phone =
                    Phone::parse(&typed, Region(region)).unwrap_or_else(|_| panic!("{region} {typed}"));
                assert_eq!(phone.clear(), example.format_as(PhoneNumberFormat::E164), "{region} {typed}");
                assert!(phone.is_of(Region(region)) && phone.may_take_texts(), "{region} {typed}");
            }
        }
        assert!(mobiles > 230, "{mobiles}");
    }

    #[test]
    fn a_mobile_is_of_no_region_with_another_country_code() {
        let code = |region| PHONE_NUMBER_UTIL.get_country_code_for_region(region);
        for region in regions() {
            let Ok(example) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, Type::Mobile)
            else {
                continue;
            };
            let phone = Phone(example.format_as(PhoneNumberFormat::E164).into_owned());
            for other in regions().filter(|other| code(*other) != code(region)) {
                assert!(!phone.is_of(Region(other)), "a mobile of {region} is not of {other}");
            }
        }
    }

    #[test]
    fn a_region_is_written_in_capitals_and_has_numbers() {
        assert!(regions().all(|region| region.to_string().parse::<Region>() == Ok(Region(region))));
        for wrong in ["", "us", "USA", "ZZ", "001", "AQ", "U1"] {
            assert!(wrong.parse::<Region>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read_as_a_number(raw in r"\PC{0,70}", digits in r"[+٠-٩0-9 ()x;=-]{0,30}") {
            for raw in [raw, digits] {
                if let Some(phone) = read(&raw, "GB") {
                    prop_assert!(phone.clear().strip_prefix('+').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit())));
                    prop_assert_eq!(read(phone.clear(), "US"), Some(phone));
                }
            }
        }
    }
}
