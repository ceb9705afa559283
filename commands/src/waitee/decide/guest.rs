//! Decisions on the commands of a visit's own guest.

use schema::{
    Time,
    waitee::{Event, Why},
};

use super::host::{self, HostCommand};
use crate::waitee::{Refusal, Visit};

#[derive(Clone, Copy, Debug)]
pub enum GuestCommand {
    /// Says that the guest is coming.
    Confirm,
    Leave,
}

/// The rules are those of the host's commands of the same names.
pub(super) fn decide(visit: &Visit, command: GuestCommand, now: Time) -> Result<Vec<Event>, Refusal> {
    let command = match command {
        GuestCommand::Confirm => HostCommand::Confirm(Why::default()),
        GuestCommand::Leave => HostCommand::Leave(Why::default()),
    };
    host::decide(visit, &command, now).map_err(Refusal::for_guest)
}

#[cfg(test)]
mod tests {
    use schema::waitee::State;

    use super::*;
    use crate::spec::{
        given,
        visits::{STATES, called, joined, leading_to, why},
    };

    #[test]
    fn a_called_guest_confirms_or_leaves() {
        given([joined(), called()]).when(GuestCommand::Confirm).then([Event::Confirmed(why())]);
        given([joined(), called()]).when(GuestCommand::Leave).then([Event::Left(why())]);
    }

    #[test]
    fn a_guest_reads_which_of_the_guests_own_commands_the_state_allows() {
        given([joined()]).when(GuestCommand::Confirm).then_refused(Refusal::NotFromForGuest(State::Waiting));
        given(leading_to(State::Seated))
            .when(GuestCommand::Leave)
            .then_refused(Refusal::NotFromForGuest(State::Seated));
    }

    #[test]
    fn an_erased_visit_reads_as_not_found() {
        for state in STATES {
            for command in [GuestCommand::Confirm, GuestCommand::Leave] {
                let erased = [leading_to(state), vec![Event::Erased {}]].concat();
                given(erased).when(command).then_refused(Refusal::NotFound);
            }
        }
    }
}
