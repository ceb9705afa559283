//! Decisions on the erasure of a guest. On a visit that exists they are never refused: a repeat, or `Forget` before `Erase`, has no
//! events.

use schema::{
    message::{self, Skip, Skipped},
    waitee::{Event, Why},
};

use crate::waitee::Visit;

#[derive(Clone, Copy, Debug)]
pub enum ErasureCommand {
    /// Erases the guest, who leaves the board.
    Erase,
    /// Records that the guest's key is deleted.
    Forget,
}

pub(super) fn decide(visit: &Visit, command: ErasureCommand) -> Vec<Event> {
    match command {
        ErasureCommand::Erase if visit.erased => vec![],
        ErasureCommand::Erase => erase(visit),
        ErasureCommand::Forget if visit.forgotten || !visit.erased => vec![],
        ErasureCommand::Forget => vec![Event::Forgotten {}],
    }
}

/// Skips the messages that are still to be sent, because none is sent after an erasure, takes the party off the board, and erases
/// the guest.
fn erase(visit: &Visit) -> Vec<Event> {
    let skip = |message| message::Event::Skipped(Skipped { message, attempt: None, why: Skip::Erased });
    let skipped = visit.agenda.messages.unsent().map(skip).map(Event::Notification);
    let removed = visit.state.is_active().then(|| Event::Removed(Why::default()));
    skipped.chain(removed).chain([Event::Erased {}]).collect()
}

#[cfg(test)]
mod tests {
    use schema::{
        message::{Kind, MessageId},
        waitee::State,
    };

    use super::*;
    use crate::{
        spec::{
            given,
            visits::{STATES, host_commands, joined, leading_to, why},
        },
        waitee::Refusal,
    };

    fn erased(state: State) -> Vec<Event> {
        [leading_to(state), vec![Event::Erased {}]].concat()
    }

    fn forgotten(state: State) -> Vec<Event> {
        [erased(state), vec![Event::Forgotten {}]].concat()
    }

    #[test]
    fn an_erasure_skips_unsent_messages_then_removes_the_party_then_erases() {
        for state in STATES {
            let message = MessageId { kind: Kind::TableReady, cause: 2 };
            let skipped = Skipped { message, attempt: None, why: Skip::Erased };
            let skipped = Event::Notification(message::Event::Skipped(skipped));
            let was_called = matches!(state, State::Called | State::Confirmed);
            let skipped = was_called.then_some(skipped).into_iter();
            let removed = state.is_active().then(|| Event::Removed(why()));
            let expected = skipped.chain(removed).chain([Event::Erased {}]);
            given(leading_to(state)).when(ErasureCommand::Erase).then(expected);
        }
        given([]).when(ErasureCommand::Erase).then_refused(Refusal::NotFound);
    }

    #[test]
    fn a_guest_is_erased_once_and_then_forgotten_once() {
        given([joined()]).when(ErasureCommand::Forget).then_nothing();
        given(erased(State::Left)).when(ErasureCommand::Erase).then_nothing();
        given(erased(State::Left)).when(ErasureCommand::Forget).then([Event::Forgotten {}]);
        given(forgotten(State::Left)).when(ErasureCommand::Erase).then_nothing();
        given(forgotten(State::Left)).when(ErasureCommand::Forget).then_nothing();
    }

    #[test]
    fn an_erased_visit_refuses_every_command_of_a_host() {
        for state in STATES {
            for command in host_commands() {
                given(erased(state)).when(command.clone()).then_refused(Refusal::Erased);
                given(forgotten(state)).when(command).then_refused(Refusal::Erased);
            }
        }
    }
}
