//! Operations that show something.

use super::{
    examples::Document,
    operation::{
        Effect::{Reads as Fresh, Shows},
        Operation,
    },
};
use crate::{
    body::{
        Audit, History, Page, Verification, Waitee, Waitlist,
        account::User,
        guest::{PublicWaitlist, Visit},
        system::Health,
    },
    parameter::{
        OF_AUDIT, OF_VERIFY,
        Parameter::{AsOf, Cursor, Day, Limit},
    },
    problem::Slug::NotFound,
    route::Reads,
};

pub(super) fn operation(route: Reads) -> Operation {
    match route {
        Reads::Me => {
            Operation::new(Fresh, "getMe", "The caller's account").answers::<User>().refuses(&[NotFound])
        }
        Reads::MyHistory => {
            history("getMyHistory", "Every event of the account, oldest first").refuses(&[NotFound])
        }
        Reads::Waitlists => Operation::new(Fresh, "listWaitlists", "The account's lists, by creation")
            .query(&[Limit, Cursor])
            .answers::<Page<Waitlist>>(),
        Reads::Waitlist => Operation::new(Fresh, "getWaitlist", "One list").query(&[AsOf]).answers::<Waitlist>(),
        Reads::WaitlistHistory => history("getWaitlistHistory", "Every event of a list, oldest first"),
        Reads::Board => Operation::new(Fresh, "listWaitees", "The parties of a list")
            .about(
                "The board in queue order. With `day` all parties of that business day, by the time of joining. \
                 `day` and `as_of` exclude each other.",
            )
            .query(&[Day, AsOf, Limit, Cursor])
            .answers::<Page<Waitee>>(),
        Reads::Waitee => Operation::new(Fresh, "getWaitee", "One party").query(&[AsOf]).answers::<Waitee>(),
        Reads::WaiteeHistory => history("getWaiteeHistory", "Every event of a visit, oldest first"),
        Reads::Audit => Operation::new(Fresh, "getAudit", "The events of all the account's streams, by time")
            .about(
                "A page looks at a bounded number of events, so it may be empty and still have a `next`. A fresh event may be \
                 missing until `complete_until` has passed it.",
            )
            .query(&OF_AUDIT)
            .answers::<Audit>(),
        Reads::Verify => {
            Operation::new(Fresh, "verifyAudit", "Whether events were altered, removed or added in the log")
                .about("Looks at one stream, at a list with its visits, or at the whole account, in bounded pages.")
                .query(&OF_VERIFY)
                .answers::<Verification>()
                .refuses(&[NotFound])
        }
        Reads::PublicWaitlist => {
            Operation::new(Fresh, "getPublicWaitlist", "A list as everyone may see it").answers::<PublicWaitlist>()
        }
        Reads::Visit => Operation::new(Fresh, "getVisit", "A visit as its guest sees it").answers::<Visit>(),
        Reads::OpenApi => Operation::new(Shows, "getOpenApi", "This document").answers::<Document>(),
        Reads::Health => {
            Operation::new(Shows, "getHealth", "Whether the server answers").answers::<Health>()
        }
    }
}

fn history(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Fresh, id, summary).query(&[Limit, Cursor]).answers::<History>()
}
