//! Operations of guests.

use super::operation::{
    Effect::{Changes, Creates},
    Header, Operation,
};
use crate::{
    body::{
        Empty,
        guest::{JoinWaitlist, Joined},
    },
    problem::Slug::{
        Erased, HistoryFull, InvalidTransition, InvalidValue, TooManyRequests, WaitlistClosed, WaitlistFull,
    },
    route::Guests,
};

pub(super) fn operation(route: Guests) -> Operation {
    match route {
        Guests::Join => Operation::new(Creates, "joinWaitlist", "Join a list as a guest")
            .about("The visit token of the answer opens this one visit.")
            .takes::<JoinWaitlist>()
            .answers::<Joined>()
            .with_headers(&[Header::ETag, Header::SyncToken])
            .refuses(&[WaitlistClosed, WaitlistFull, Erased, InvalidValue, TooManyRequests]),
        Guests::Confirm => Operation::new(Changes, "confirmVisit", "Tell the host that the guest is coming")
            .takes::<Empty>()
            .visit_written()
            .refuses(&[InvalidTransition, HistoryFull]),
        Guests::Leave => Operation::new(Changes, "leaveVisit", "Leave the list as its guest")
            .takes::<Empty>()
            .visit_written()
            .refuses(&[InvalidTransition]),
    }
}
