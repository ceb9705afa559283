//! The events of generated visits.

use schema::{
    Rank, Time, WaitlistId,
    value::{PartySize, QuoteMinutes},
    waitee::{Details, Event as VisitEvent, Joined, JoinedBy, Party, State, Why},
};

use super::{Step, sealed};

/// Joins a party and changes its state as `commands` allows. Only `forgotten` follows an erasure.
pub(super) fn visit_events(steps: &[Step], start: Time) -> Vec<VisitEvent> {
    let mut events = vec![VisitEvent::Joined(joined(start))];
    let mut state = State::Waiting;
    for step in steps {
        if step.choice % 32 == 31 {
            let removed = state.is_active().then(|| VisitEvent::Removed(Why::default()));
            events.extend(removed.into_iter().chain([VisitEvent::Erased {}, VisitEvent::Forgotten {}]));
            return events;
        }
        let (event, next) = visit_step(state, *step, start);
        events.push(event);
        state = next;
    }
    events
}

fn joined(start: Time) -> Joined {
    Joined {
        waitlist: WaitlistId(uuid::Uuid::from_u128(start.millis().unsigned_abs().into())),
        party: Party {
            phone: Some(sealed("phone", 0)),
            quoted_minutes: Some(QuoteMinutes::parse(20).unwrap()),
            ..Party::new(sealed("name", 0), PartySize::parse(2).unwrap())
        },
        day: "2026-11-20".parse().unwrap(),
        rank: Rank::joining(start),
        by: JoinedBy::Host,
    }
}

fn visit_step(state: State, step: Step, start: Time) -> (VisitEvent, State) {
    let Step { choice, variant, .. } = step;
    let why = Why { reason: variant.is_multiple_of(4).then(|| sealed("reason", variant)) };
    let changed = (VisitEvent::DetailsChanged(details(variant)), state);
    if !state.is_active() {
        return if choice.is_multiple_of(3) { changed } else { (VisitEvent::Restored(why), State::Waiting) };
    }
    let called = (
        VisitEvent::Called { hold_until: start.plus_minutes(variant.into()), remind_at: None },
        State::Called,
    );
    let confirmed = (VisitEvent::Confirmed(why.clone()), State::Confirmed);
    let moved = VisitEvent::Moved {
        rank: Rank::joining(start.plus_millis(variant.into())),
        reason: why.reason.clone(),
    };
    match choice % 10 {
        0 | 1 => match state {
            State::Waiting | State::Called => called,
            _ => (VisitEvent::Restored(why), State::Waiting),
        },
        2 | 3 => match state {
            State::Called => confirmed,
            _ => changed,
        },
        4 => changed,
        5 => (moved, state),
        6 => (VisitEvent::Seated(why), State::Seated),
        7 => (VisitEvent::Left(why), State::Left),
        8 => (VisitEvent::Removed(why), State::Removed),
        _ => (VisitEvent::NoShow(why), State::NoShow),
    }
}

/// Each field changes, is cleared, or stays.
fn details(variant: u8) -> Details {
    let has = |bit: u8| variant & (1 << bit) != 0;
    Details {
        name: has(0).then(|| sealed("name", variant)),
        party_size: has(1).then(|| PartySize::parse(1 + i64::from(variant % 20)).unwrap()),
        phone: has(2).then(|| has(3).then(|| sealed("phone", variant))),
        email: has(3).then(|| has(4).then(|| sealed("email", variant))),
        note: has(4).then(|| has(5).then(|| sealed("note", variant))),
        quoted_minutes: has(5).then(|| has(6).then(|| QuoteMinutes::parse(variant.into()).unwrap())),
        language: has(6).then(|| has(7).then(|| "es".parse().unwrap())),
    }
}
