//! Decisions on the commands of the tick. They are not refused: when there is nothing to do, no event
//! follows.

use schema::{
    Time,
    waitee::{Event, Why},
};

use crate::{waitee::Visit, waitlist::Waitlist};

#[derive(Clone, Debug)]
pub enum TickCommand {
    /// Marks the party as a no-show when its hold has run out without an answer.
    EndHold,
    /// Removes the party when its visit has lasted too long.
    Expire(Why),
    /// Removes the party when its list was deleted. The list is as the log has it.
    Clear { list: Waitlist, why: Why },
}

pub(super) fn decide(visit: &Visit, command: &TickCommand, now: Time) -> Vec<Event> {
    if visit.erased || !visit.state.is_active() {
        return vec![];
    }
    match command {
        TickCommand::EndHold if visit.agenda.no_show_at().is_some_and(|at| at <= now) => {
            vec![Event::NoShow(Why::default())]
        }
        TickCommand::Expire(why) if visit.is_over(now) => vec![Event::Removed(why.clone())],
        TickCommand::Clear { list: Waitlist::Deleted, why } => vec![Event::Removed(why.clone())],
        TickCommand::EndHold
        | TickCommand::Expire(_)
        | TickCommand::Clear { list: Waitlist::Kept(_) | Waitlist::None, .. } => vec![],
    }
}

#[cfg(test)]
mod tests {
    use schema::{
        agenda::VISIT_MS,
        message::{self, Kind, MessageId, Skip, Skipped},
        waitee::State,
    };

    use super::*;
    use crate::{
        spec::{
            FIRST_EVENT_MS, NOW_MS, given,
            visits::{because, call, called, called_until, joined, leading_to, list, restore, why},
        },
        waitee::Refusal,
    };

    /// The time, from now, at which a day has passed since the party joined.
    const A_DAY_LATER_MS: i64 = FIRST_EVENT_MS + VISIT_MS - NOW_MS;

    fn clear(list: Waitlist) -> TickCommand {
        TickCommand::Clear { list, why: because() }
    }

    fn skipped(why: Skip) -> Event {
        let message = MessageId { kind: Kind::TableReady, cause: 2 };
        Event::Notification(message::Event::Skipped(Skipped { message, attempt: None, why }))
    }

    /// A guest without an address is told by the host, so no message is to be sent.
    fn told() -> Event {
        skipped(Skip::NoAddress)
    }

    #[test]
    fn a_hold_that_ran_out_without_an_answer_is_a_no_show() {
        given([joined(), called(), told()]).when(TickCommand::EndHold).then([Event::NoShow(why())]);
        given([joined(), called_until(1), told()]).when(TickCommand::EndHold).then_nothing();
        given([]).when(TickCommand::EndHold).then_refused(Refusal::NotFound);
    }

    #[test]
    fn a_guest_who_was_not_told_is_no_no_show() {
        given([joined(), called()]).when(TickCommand::EndHold).then_nothing();
        given([joined(), called(), skipped(Skip::Late)]).when(TickCommand::EndHold).then_nothing();
    }

    #[test]
    fn an_answer_or_another_call_ends_the_hold() {
        for answer in [
            Event::Confirmed(why()),
            Event::Seated(why()),
            Event::Restored(why()),
            Event::Erased {},
            called_until(5),
        ] {
            given([joined(), called(), told(), answer]).when(TickCommand::EndHold).then_nothing();
        }
    }

    #[test]
    fn a_visit_ends_a_day_after_joining() {
        given([joined()]).later(A_DAY_LATER_MS - 1).when(TickCommand::Expire(because())).then_nothing();
        given([joined()])
            .later(A_DAY_LATER_MS)
            .when(TickCommand::Expire(because()))
            .then([Event::Removed(because())]);
        given(leading_to(State::Seated))
            .later(A_DAY_LATER_MS)
            .when(TickCommand::Expire(because()))
            .then_nothing();
    }

    #[test]
    fn a_visit_that_ended_a_day_ago_allows_nothing_more() {
        for command in [restore(), call()] {
            given(leading_to(State::Left))
                .later(A_DAY_LATER_MS)
                .when(command)
                .then_refused(Refusal::Over(State::Left));
        }
    }

    #[test]
    fn a_party_on_a_deleted_list_is_removed() {
        given([joined()]).when(clear(Waitlist::Deleted)).then([Event::Removed(because())]);
        given([joined()]).when(clear(list())).then_nothing();
        given(leading_to(State::Left)).when(clear(Waitlist::Deleted)).then_nothing();
    }
}
