//! The one table of routes. Router, lambda wiring and authorization tests derive from it.

use crate::problem::{Problem, Slug};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table below says what each one is")]
pub enum Route {
    CreateWaitlist,
    ListWaitlists,
    GetWaitlist,
    ChangeWaitlist,
    DeleteWaitlist,
    OpenWaitlist,
    CloseWaitlist,
    WaitlistHistory,
    AddWaitee,
    Board,
    GetWaitee,
    ChangeWaitee,
    CallWaitee,
    ConfirmWaitee,
    SeatWaitee,
    NoShowWaitee,
    LeaveWaitee,
    RemoveWaitee,
    RestoreWaitee,
    MoveWaitee,
    WaiteeHistory,
    Health,
}

/// Which lambda serves a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Commands of an owner.
    Hosts,
    /// Reads.
    Reads,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Anyone.
    Public,
    /// An account, for what is its own.
    Owner,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The HTTP method.
    pub method: &'static str,
    /// The path; `{id}` stands for one UUID.
    pub path: &'static str,
    /// What it asks for.
    pub route: Route,
    /// Who serves it.
    pub role: Role,
    /// Who may ask.
    pub access: Access,
    /// The status of success.
    pub success: u16,
}

const fn entry(method: &'static str, path: &'static str, route: Route, role: Role, success: u16) -> Entry {
    let access = if matches!(route, Route::Health) { Access::Public } else { Access::Owner };
    Entry { method, path, route, role, access, success }
}

use Role::{Hosts, Reads};

/// Every route.
pub const ROUTES: &[Entry] = &[
    entry("POST", "/v1/waitlists", Route::CreateWaitlist, Hosts, 201),
    entry("GET", "/v1/waitlists", Route::ListWaitlists, Reads, 200),
    entry("GET", "/v1/waitlists/{id}", Route::GetWaitlist, Reads, 200),
    entry("PATCH", "/v1/waitlists/{id}", Route::ChangeWaitlist, Hosts, 200),
    entry("DELETE", "/v1/waitlists/{id}", Route::DeleteWaitlist, Hosts, 204),
    entry("POST", "/v1/waitlists/{id}/open", Route::OpenWaitlist, Hosts, 200),
    entry("POST", "/v1/waitlists/{id}/close", Route::CloseWaitlist, Hosts, 200),
    entry("GET", "/v1/waitlists/{id}/history", Route::WaitlistHistory, Reads, 200),
    entry("POST", "/v1/waitlists/{id}/waitees", Route::AddWaitee, Hosts, 201),
    entry("GET", "/v1/waitlists/{id}/waitees", Route::Board, Reads, 200),
    entry("GET", "/v1/waitees/{id}", Route::GetWaitee, Reads, 200),
    entry("PATCH", "/v1/waitees/{id}", Route::ChangeWaitee, Hosts, 200),
    entry("POST", "/v1/waitees/{id}/call", Route::CallWaitee, Hosts, 202),
    entry("POST", "/v1/waitees/{id}/confirm", Route::ConfirmWaitee, Hosts, 200),
    entry("POST", "/v1/waitees/{id}/seat", Route::SeatWaitee, Hosts, 200),
    entry("POST", "/v1/waitees/{id}/no-show", Route::NoShowWaitee, Hosts, 200),
    entry("POST", "/v1/waitees/{id}/leave", Route::LeaveWaitee, Hosts, 200),
    entry("POST", "/v1/waitees/{id}/remove", Route::RemoveWaitee, Hosts, 200),
    entry("POST", "/v1/waitees/{id}/restore", Route::RestoreWaitee, Hosts, 200),
    entry("POST", "/v1/waitees/{id}/move", Route::MoveWaitee, Hosts, 200),
    entry("GET", "/v1/waitees/{id}/history", Route::WaiteeHistory, Reads, 200),
    entry("GET", "/healthz", Route::Health, Reads, 200),
];

/// Finds the row for a request, and the text that stands where the path says `{id}`.
///
/// # Errors
/// No such path, or not with this method.
pub fn find<'p>(method: &str, path: &'p str) -> Result<(&'static Entry, Option<&'p str>), Problem> {
    let mut allow = Vec::new();
    for entry in ROUTES {
        if let Some(id) = matches(entry.path, path) {
            if entry.method == method {
                return Ok((entry, id));
            }
            allow.push(entry.method);
        }
    }
    if allow.is_empty() {
        return Err(Problem::not_found());
    }
    let detail = format!("This path takes {}.", allow.join(", "));
    Err(Problem { allow, ..Problem::new(Slug::MethodNotAllowed, detail) })
}

/// `Some` when the path fits the template; inside, what stands for `{id}`.
fn matches<'p>(template: &str, path: &'p str) -> Option<Option<&'p str>> {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    let mut id = None;
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(id),
            (Some("{id}"), Some(segment)) if !segment.is_empty() => id = Some(segment),
            (Some(w), Some(g)) if w == g => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_its_route_and_id() {
        let (entry, id) = find("POST", "/v1/waitees/abc/no-show").unwrap();
        assert_eq!((entry.route, id), (Route::NoShowWaitee, Some("abc")));
        assert_eq!(find("GET", "/v1/waitlists").unwrap().1, None);
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        let problem = find("PUT", "/v1/waitlists/abc").unwrap_err();
        assert_eq!((problem.slug, problem.allow), (Slug::MethodNotAllowed, vec!["GET", "PATCH", "DELETE"]));
    }

    #[test]
    fn what_is_no_path_is_not_found() {
        for path in ["", "/", "/v1", "/v1/waitlists/", "/v1/waitlists//open", "/v1/waitees", "/v1/waitlists/a/b/c", "/V1/waitlists"] {
            assert_eq!(find("GET", path).unwrap_err().slug, Slug::NotFound, "{path}");
        }
    }
}
