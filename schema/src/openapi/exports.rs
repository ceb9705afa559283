//! Reads that are recorded before they happen.

use super::operation::{Effect::Shows, Operation};
use crate::{parameter::OF_EXPORT, problem::Slug::Conflict, route::Exports};

pub(super) fn operation(route: Exports) -> Operation {
    match route {
        Exports::History => Operation::new(Shows, "exportAudit", "The history of the account as a file")
            .about(
                "The events in ascending order, in parts of at most 1,000 commits and 4 MB. `Link` leads to the next part; a \
                 part may be empty and still have a next one. Each part is recorded as `access.history-exported`, also when \
                 the answer is 304 or the method HEAD.",
            )
            .query(&OF_EXPORT)
            .answers_a_file(&[("application/x-ndjson", NDJSON), ("text/csv", CSV)])
            .refuses(&[Conflict]),
    }
}

const NDJSON: &str = "{\"stream\":\"waitee-01920000-0000-7000-8000-000000000002\",\"seq\":2,\"type\":\"waitee.seated\",\"v\":1,\
    \"at\":\"2026-11-21T03:10:00.000Z\",\"actor\":\"user:01920000-0000-7000-8000-00000000000a\",\
    \"commit\":\"01920000-0000-7000-8000-0000000000fd\",\"correlation\":\"01920000-0000-7000-8000-0000000000fe\",\
    \"causation\":null,\"data\":{\"reason\":null}}\n";

const CSV: &str = "\u{feff}stream,seq,type,v,at,actor,commit,correlation,causation,data\r\n\
    waitee-01920000-0000-7000-8000-000000000002,2,waitee.seated,1,2026-11-21T03:10:00.000Z,\
    user:01920000-0000-7000-8000-00000000000a,01920000-0000-7000-8000-0000000000fd,\
    01920000-0000-7000-8000-0000000000fe,,\"{\"\"reason\"\":null}\"\r\n";
