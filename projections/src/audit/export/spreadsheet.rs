//! Events in CSV (RFC 4180), for spreadsheet programs: lines end with CR LF, and the text begins with a byte order
//! mark, without which Excel reads UTF-8 as another encoding.

use csv::{ReaderBuilder, Terminator, WriterBuilder};
use infra::Failure;
use schema::body::Event;

/// The beginning of a file: byte order mark and header.
pub(super) const HEAD: &str = "\u{feff}stream,seq,type,v,at,actor,commit,correlation,causation,data\r\n";
const COLUMNS: usize = 10;

/// The line of an event, whose data is given in JSON.
///
/// # Errors
/// The event cannot be written.
pub(super) fn line(event: &Event, data: &str) -> Result<String, Failure> {
    let Event { stream, seq, kind, v, at, actor, commit, correlation, causation, data: _ } = event;
    let (seq, v, at, commit) = (seq.to_string(), v.to_string(), at.to_string(), commit.to_string());
    let causation = causation.as_deref().unwrap_or_default();
    let cells = [stream, &seq, kind, &v, &at, actor, &commit, correlation, causation, data].map(harmless);
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let broken =
        |cause: Box<dyn std::error::Error + Send + Sync>| Failure::broken("write an event as CSV", cause);
    writer.write_record(cells).map_err(|cause| broken(cause.into()))?;
    let line = writer.into_inner().map_err(|cause| broken(cause.to_string().into()))?;
    String::from_utf8(line).map_err(|cause| broken(cause.into()))
}

/// Commit and number of the event in a line; `None` if it has not the columns of the header.
pub(super) fn read(line: &str) -> Option<(String, String)> {
    let mut reader = ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
    let cells = reader.records().next()?.ok()?;
    let cell = |number: usize| cells.get(number).map(str::to_owned);
    if cells.len() == COLUMNS { cell(6).zip(cell(1)) } else { None }
}

/// A cell that spreadsheet programs do not read as a formula: an apostrophe comes before the characters with which one
/// begins. Only a correlation, which may be chosen by the client, begins with one, or an event that was altered in the
/// log. <https://owasp.org/www-community/attacks/CSV_Injection>
///
/// Where lists are written with semicolons, Excel also splits a line at the semicolons in its cells, and the rest of a
/// cell could begin with a formula. JSON reads the escape as a semicolon.
fn harmless(cell: &str) -> String {
    let cell = cell.replace(';', "\\u003b");
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schema::Time;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn event(kind: &str, data: Value) -> Event {
        Event {
            stream: "waitee-7".to_owned(),
            seq: 2,
            kind: kind.to_owned(),
            v: 1,
            at: Time::from_millis(0),
            actor: "system:tick".to_owned(),
            commit: Uuid::nil(),
            correlation: "r".to_owned(),
            causation: None,
            data,
        }
    }

    fn written(event: &Event) -> String {
        line(event, &event.data.to_string()).unwrap()
    }

    #[test]
    fn a_line_has_the_columns_of_the_header_and_ends_with_cr_lf() {
        let seated =
            written(&event("waitee.seated", json!({ "reason": "a \"big\" table,\r\nby the window" })));
        assert_eq!(
            seated,
            "waitee-7,2,waitee.seated,1,1970-01-01T00:00:00.000Z,system:tick,00000000-0000-0000-0000-000000000000,r,,\
             \"{\"\"reason\"\":\"\"a \\\"\"big\\\"\" table,\\r\\nby the window\"\"}\"\r\n"
        );
        let file = HEAD.to_owned() + &seated;
        let mut reader = csv::Reader::from_reader(file.trim_start_matches('\u{feff}').as_bytes());
        let row: BTreeMap<String, String> = reader.deserialize().next().unwrap().unwrap();
        let shown: BTreeMap<String, Value> =
            serde_json::from_value(json!(event("waitee.seated", json!({})))).unwrap();
        assert_eq!(row.keys().collect::<Vec<_>>(), shown.keys().collect::<Vec<_>>());
        assert_eq!((row["at"].as_str(), row["causation"].as_str()), ("1970-01-01T00:00:00.000Z", ""));
    }

    #[test]
    fn a_line_that_is_cut_off_holds_no_event() {
        let seated = written(&event("waitee.seated", json!({ "reason": "a \"big\" table, by the window" })));
        assert_eq!(read(&seated), Some((Uuid::nil().to_string(), "2".to_owned())));
        let before_data = seated.find('{').unwrap() - 1;
        for cut in [0, 8, 60, before_data - 1] {
            assert_eq!(read(&seated[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn no_cell_begins_a_formula() {
        for formula in
            ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠SUM(A1)"]
        {
            let altered = written(&event(formula, json!({})));
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(altered.as_bytes());
            let cells = reader.records().next().unwrap().unwrap();
            assert_eq!(cells[2], format!("'{formula}"));
        }
        let request =
            Event { correlation: "=1;=HYPERLINK(\"x\")".to_owned(), ..event("waitee.called", json!({})) };
        assert!(written(&request).contains("\"'=1\\u003b=HYPERLINK(\"\"x\"\")\""), "{}", written(&request));
        let name = written(&event("waitee.joined", json!({ "name": "Ana;=HYPERLINK(\"x\")" })));
        assert!(!name.contains(';'), "{name}");
        assert!(name.contains("Ana\\u003b=HYPERLINK"), "{name}");
    }
}
