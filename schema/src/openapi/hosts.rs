//! Operations of hosts on lists and parties.

use super::operation::{
    Effect::{Changes, Creates},
    Operation,
};
use crate::{
    body::{AddWaitee, ChangeWaitee, ChangeWaitlist, CreateWaitlist, Empty, Erasing, Move, Transition},
    problem::Slug::{
        self, Erased, HistoryFull, InvalidTransition, InvalidValue, NotOnBoard, RankExhausted,
        WaitlistClosed, WaitlistFull, WaitlistNotEmpty, WaitlistOpen,
    },
    route::Hosts,
};

/// The refusals of a command that ends a visit, which is accepted however long its history.
const ENDS: &[Slug] = &[InvalidTransition, Erased, InvalidValue];

pub(super) fn operation(route: Hosts) -> Operation {
    match route {
        Hosts::CreateWaitlist => {
            Operation::new(Creates, "createWaitlist", "Create a list, which is open at once")
                .takes::<CreateWaitlist>()
                .written()
                .refuses(&[InvalidValue])
        }
        Hosts::ChangeWaitlist => Operation::new(Changes, "changeWaitlist", "Change the settings of a list")
            .about("A merge patch (RFC 7396): an absent field stays, null sets the value that a new list has.")
            .takes::<ChangeWaitlist>()
            .written()
            .refuses(&[HistoryFull, InvalidValue]),
        Hosts::DeleteWaitlist => Operation::new(Changes, "deleteWaitlist", "Delete a closed, empty list")
            .about("Reads then answer 404; the history stays.")
            .refuses(&[WaitlistOpen, WaitlistNotEmpty]),
        Hosts::OpenWaitlist => Operation::new(Changes, "openWaitlist", "Let parties join a list")
            .takes::<Empty>()
            .written()
            .refuses(&[HistoryFull]),
        Hosts::CloseWaitlist => Operation::new(Changes, "closeWaitlist", "Let no more parties join a list")
            .takes::<Empty>()
            .written(),
        Hosts::AddWaitee => Operation::new(Creates, "addWaitee", "Add a party to a list")
            .takes::<AddWaitee>()
            .visit_written()
            .refuses(&[WaitlistClosed, WaitlistFull, Erased, InvalidValue]),
        Hosts::ChangeWaitee => Operation::new(Changes, "changeWaitee", "Change the details of a party")
            .about("A merge patch (RFC 7396): an absent field stays, null clears it.")
            .takes::<ChangeWaitee>()
            .visit_written()
            .refuses(&[Erased, HistoryFull, InvalidValue]),
        Hosts::CallWaitee => Operation::new(Changes, "callWaitee", "Tell a party that its table is ready")
            .about("The guest gets a text or an e-mail, and the table is held. Calling again is counted.")
            .takes::<Empty>()
            .visit_written()
            .refuses(&[InvalidTransition, Erased, HistoryFull]),
        Hosts::ConfirmWaitee => transition("confirmWaitee", "Record that a called party is coming", &[HistoryFull]),
        Hosts::SeatWaitee => transition("seatWaitee", "Seat a party", &[]),
        Hosts::NoShowWaitee => transition("markNoShow", "Record that a party did not come", &[]),
        Hosts::LeaveWaitee => transition("recordLeave", "Record that a party left", &[]),
        Hosts::RemoveWaitee => transition("removeWaitee", "Take a party off the list", &[]),
        Hosts::RestoreWaitee => {
            transition("restoreWaitee", "Put a party back to its former place in the queue", &[HistoryFull])
        }
        Hosts::MoveWaitee => Operation::new(Changes, "moveWaitee", "Move a party directly before or behind another")
            .takes::<Move>()
            .visit_written()
            .refuses(&[NotOnBoard, RankExhausted, HistoryFull])
            .refuses(ENDS),
        Hosts::EraseWaitee => Operation::new(Changes, "eraseWaitee", "Erase the personal data of a guest")
            .about("The party leaves the board and is shown without its data at once; its key is deleted a moment later.")
            .takes::<Empty>()
            .answers::<Erasing>()
            .with_headers(&[]),
    }
}

/// A command that moves a visit to another state.
fn transition(id: &'static str, summary: &'static str, also: &[Slug]) -> Operation {
    Operation::new(Changes, id, summary).takes::<Transition>().visit_written().refuses(ENDS).refuses(also)
}
