use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    MailId, Rank, Sealed, WaiteeId, WaitlistId,
    agenda::Agenda,
    mail,
    value::{DayStart, PartySize, Zone},
    waitee::{self, JoinedBy, Party},
    waitlist,
};

const ID: Uuid = Uuid::from_u128(7);

fn at() -> Time {
    Time::from_millis(1_795_203_720_000)
}

fn visit() -> WaiteeRow {
    let (id, waitlist, rank) = (WaiteeId(ID), WaitlistId(ID), Rank::joining(at()));
    let day = "2026-11-20".parse().unwrap();
    WaiteeRow {
        id,
        seq: 1,
        v: 1,
        tenant: UserId(ID),
        waitlist,
        party: Party::new(Sealed::from_text("sealed".into()), PartySize::parse(2).unwrap()),
        state: waitee::State::Waiting,
        board_keys: Some(BoardKeys::new(waitlist, &rank, id)),
        rank,
        day,
        joined_at: at(),
        calls: 0,
        called_at: None,
        hold_until: None,
        confirmed_at: None,
        finished_at: None,
        by: JoinedBy::Host,
        erased: false,
        agenda: Agenda::default(),
        day_keys: DayKeys::new(waitlist, day, at(), id),
        due: None,
    }
}

fn list() -> WaitlistRow {
    let settings = json!({
        "name": "Main room", "time_zone": "America/Los_Angeles", "region": "US", "capacity": 200, "hold_minutes": 10,
        "language": "en", "day_starts": "04:00", "open": true, "created_at": at(),
    });
    let list: waitlist::State = serde_json::from_value(settings).unwrap();
    let (id, owner) = (WaitlistId(ID), UserId(ID));
    let made = WaitlistRow::made(at(), id);
    WaitlistRow { id, seq: 1, v: 1, tenant: owner, list, owner: Some(owner), made, due: None }
}

fn account() -> UserRow {
    UserRow {
        id: UserId(ID),
        seq: 1,
        v: 1,
        tenant: UserId(ID),
        name: Sealed::from_text("sealed".into()),
        email: Sealed::from_text("sealed".into()),
        confirmed: false,
        operator: false,
        registered_at: at(),
        state: users::State::Kept,
        agenda: Agenda::default(),
        due: None,
    }
}

fn confirmation() -> MailRow {
    let (id, tenant) = (MailId(ID), UserId(ID));
    MailRow {
        id,
        seq: 1,
        v: 1,
        tenant,
        kind: mail::Kind::Confirmation,
        asked_at: at(),
        agenda: Agenda::default(),
        confirms: Some(tenant),
        made: MailRow::made(at(), id),
        due: None,
    }
}

/// Checks that a row which is in all indexes of its table has their keys, and that it is read as it was
/// written, due or not.
fn has_the_keys_of_its_indexes<R: Row + PartialEq + std::fmt::Debug>(mut row: R) {
    let written = serde_json::to_value(&row).unwrap();
    assert_eq!(serde_json::from_value::<R>(written.clone()).unwrap(), row);
    assert!(written.get("due_in").is_none() && written.get("due_at").is_none());
    row.stamp(2, 1, Some(at()));
    let written = serde_json::to_value(&row).unwrap();
    assert_eq!((&written["seq"], &written["v"]), (&json!(2), &json!(1)));
    let keys = R::TABLE.indexes.iter().flat_map(|index| [index.hash, index.range]);
    for (key, _) in keys.chain([R::TABLE.generation(0).hash]) {
        assert!(written[key].is_string(), "{key} in {written}");
    }
    assert_eq!(serde_json::from_value::<R>(written).unwrap(), row);
}

#[test]
fn rows_have_the_keys_of_their_indexes() {
    has_the_keys_of_its_indexes(visit());
    has_the_keys_of_its_indexes(list());
    has_the_keys_of_its_indexes(account());
    has_the_keys_of_its_indexes(confirmation());
}

#[test]
fn a_party_that_left_the_board_is_not_in_its_index() {
    let gone = WaiteeRow { board_keys: None, ..visit() };
    let written: Value = serde_json::to_value(&gone).unwrap();
    assert!(written.get("board").is_none() && written.get("place").is_none(), "{written}");
    assert_eq!(serde_json::from_value::<WaiteeRow>(written).unwrap(), gone);
}

#[test]
fn the_bounds_of_a_rank_enclose_its_places_and_no_others() {
    let place =
        |rank: &Rank, id: u128| BoardKeys::new(WaitlistId(ID), rank, WaiteeId(Uuid::from_u128(id))).place;
    let (earlier, rank) = (Rank::joining(at()), Rank::joining(at().plus_millis(1)));
    let later = Rank::between(Some(&rank), None).unwrap();
    for id in [0, u128::MAX] {
        assert!(place(&earlier, id) < BoardKeys::before_rank(&rank));
        assert!(BoardKeys::before_rank(&rank) < place(&rank, id));
        assert!(place(&rank, id) < BoardKeys::after_rank(&rank));
        assert!(BoardKeys::after_rank(&rank) < place(&later, id));
    }
}

proptest! {
    #[test]
    fn the_day_of_a_party_is_among_the_days_of_its_time_of_joining(
        joined_ms in 1_577_836_800_000_i64..2_051_222_400_000, // 2020 to 2034
        before_ms in 0_i64..48 * 3_600_000,
        zone in prop::sample::select(vec![
            "Etc/GMT+12", "Etc/GMT-14", "Pacific/Pago_Pago", "Pacific/Apia", "Pacific/Kiritimati", "America/St_Johns",
        ]),
        starts in prop::sample::select(vec!["00:00", "04:00", "12:30", "23:59"]),
    ) {
        let (zone, starts): (Zone, DayStart) = (zone.parse().unwrap(), starts.parse().unwrap());
        let joined = Time::from_millis(joined_ms);
        let until = joined.plus_millis(before_ms);
        let after = until.plus_millis(-48 * 3_600_000);
        let day = zone.business_day(joined, starts);
        let days: Vec<_> = DayKeys::days(after, until).collect();
        prop_assert!(days.contains(&day), "{day} is not among {days:?}");
        prop_assert!(days.len() <= 6, "{days:?}");
        let (low, high) = DayKeys::arrivals(after, until);
        let arrival = DayKeys::new(WaitlistId(ID), day, joined, WaiteeId(ID)).arrival;
        prop_assert!(low <= arrival && arrival <= high, "{low} {arrival} {high}");
        let too_early = DayKeys::new(WaitlistId(ID), day, after, WaiteeId(ID)).arrival;
        prop_assert!(too_early < low, "{too_early} {low}");
    }
}
