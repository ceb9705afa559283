//! The table of routes, from which the router, the lambdas' wiring, the OpenAPI document and the authorization
//! tests derive.

use crate::problem::{Problem, Slug};

/// A route, by the lambda that serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// Registration, sign-in and the commands on an account.
    Accounts(Accounts),
    /// Commands of hosts.
    Hosts(Hosts),
    /// Commands of guests.
    Guests(Guests),
    Reads(Reads),
    /// Reads that are recorded before they happen.
    Exports(Exports),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Accounts {
    Register,
    ConfirmEmail,
    AskConfirmation,
    AskPasswordReset,
    ResetPassword,
    Rename,
    ChangePassword,
    Erase,
    SignIn,
    Refresh,
    SignOut,
    Jwks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hosts {
    CreateWaitlist,
    ChangeWaitlist,
    DeleteWaitlist,
    OpenWaitlist,
    CloseWaitlist,
    AddWaitee,
    ChangeWaitee,
    CallWaitee,
    ConfirmWaitee,
    SeatWaitee,
    NoShowWaitee,
    LeaveWaitee,
    RemoveWaitee,
    RestoreWaitee,
    MoveWaitee,
    EraseWaitee,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guests {
    Join,
    Confirm,
    Leave,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reads {
    Me,
    MyHistory,
    Waitlists,
    Waitlist,
    WaitlistHistory,
    Board,
    Waitee,
    WaiteeHistory,
    Audit,
    PublicWaitlist,
    Visit,
    Verify,
    OpenApi,
    Health,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exports {
    History,
}

/// The lambda that serves a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Accounts,
    Hosts,
    Guests,
    Reads,
    Exports,
}

/// The callers that may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    Public,
    /// An account, for its own data.
    Owner,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub method: &'static str,
    /// The path; `{id}` stands for one UUID, `{token}` for a guest's visit token.
    pub path: &'static str,
    pub route: Route,
    pub access: Access,
    /// The status of a successful answer.
    pub success: u16,
}

impl Entry {
    #[must_use]
    pub fn role(&self) -> Role {
        match self.route {
            Route::Accounts(_) => Role::Accounts,
            Route::Hosts(_) => Role::Hosts,
            Route::Guests(_) => Role::Guests,
            Route::Reads(_) => Role::Reads,
            Route::Exports(_) => Role::Exports,
        }
    }
}

const fn owner(method: &'static str, path: &'static str, route: Route, success: u16) -> Entry {
    Entry { method, path, route, access: Access::Owner, success }
}

const fn public(method: &'static str, path: &'static str, route: Route, success: u16) -> Entry {
    Entry { method, path, route, access: Access::Public, success }
}

pub const ROUTES: &[Entry] = &[
    public("POST", "/v1/users", Route::Accounts(Accounts::Register), 201),
    public("POST", "/v1/users/confirm", Route::Accounts(Accounts::ConfirmEmail), 204),
    public("POST", "/v1/password-resets", Route::Accounts(Accounts::AskPasswordReset), 202),
    public("POST", "/v1/password-resets/confirm", Route::Accounts(Accounts::ResetPassword), 204),
    owner("GET", "/v1/me", Route::Reads(Reads::Me), 200),
    owner("PATCH", "/v1/me", Route::Accounts(Accounts::Rename), 200),
    owner("POST", "/v1/me/confirmation", Route::Accounts(Accounts::AskConfirmation), 202),
    owner("PUT", "/v1/me/password", Route::Accounts(Accounts::ChangePassword), 204),
    owner("POST", "/v1/me/erase", Route::Accounts(Accounts::Erase), 202),
    owner("GET", "/v1/me/history", Route::Reads(Reads::MyHistory), 200),
    public("POST", "/v1/sessions", Route::Accounts(Accounts::SignIn), 201),
    public("POST", "/v1/sessions/refresh", Route::Accounts(Accounts::Refresh), 200),
    owner("DELETE", "/v1/sessions/current", Route::Accounts(Accounts::SignOut), 204),
    owner("POST", "/v1/waitlists", Route::Hosts(Hosts::CreateWaitlist), 201),
    owner("GET", "/v1/waitlists", Route::Reads(Reads::Waitlists), 200),
    owner("GET", "/v1/waitlists/{id}", Route::Reads(Reads::Waitlist), 200),
    owner("PATCH", "/v1/waitlists/{id}", Route::Hosts(Hosts::ChangeWaitlist), 200),
    owner("DELETE", "/v1/waitlists/{id}", Route::Hosts(Hosts::DeleteWaitlist), 204),
    owner("POST", "/v1/waitlists/{id}/open", Route::Hosts(Hosts::OpenWaitlist), 200),
    owner("POST", "/v1/waitlists/{id}/close", Route::Hosts(Hosts::CloseWaitlist), 200),
    owner("GET", "/v1/waitlists/{id}/history", Route::Reads(Reads::WaitlistHistory), 200),
    owner("POST", "/v1/waitlists/{id}/waitees", Route::Hosts(Hosts::AddWaitee), 201),
    owner("GET", "/v1/waitlists/{id}/waitees", Route::Reads(Reads::Board), 200),
    owner("GET", "/v1/waitees/{id}", Route::Reads(Reads::Waitee), 200),
    owner("PATCH", "/v1/waitees/{id}", Route::Hosts(Hosts::ChangeWaitee), 200),
    owner("POST", "/v1/waitees/{id}/call", Route::Hosts(Hosts::CallWaitee), 202),
    owner("POST", "/v1/waitees/{id}/confirm", Route::Hosts(Hosts::ConfirmWaitee), 200),
    owner("POST", "/v1/waitees/{id}/seat", Route::Hosts(Hosts::SeatWaitee), 200),
    owner("POST", "/v1/waitees/{id}/no-show", Route::Hosts(Hosts::NoShowWaitee), 200),
    owner("POST", "/v1/waitees/{id}/leave", Route::Hosts(Hosts::LeaveWaitee), 200),
    owner("POST", "/v1/waitees/{id}/remove", Route::Hosts(Hosts::RemoveWaitee), 200),
    owner("POST", "/v1/waitees/{id}/restore", Route::Hosts(Hosts::RestoreWaitee), 200),
    owner("POST", "/v1/waitees/{id}/move", Route::Hosts(Hosts::MoveWaitee), 200),
    owner("POST", "/v1/waitees/{id}/erase", Route::Hosts(Hosts::EraseWaitee), 202),
    owner("GET", "/v1/waitees/{id}/history", Route::Reads(Reads::WaiteeHistory), 200),
    owner("GET", "/v1/audit", Route::Reads(Reads::Audit), 200),
    owner("GET", "/v1/audit/verify", Route::Reads(Reads::Verify), 200),
    owner("GET", "/v1/audit/export", Route::Exports(Exports::History), 200),
    public("GET", "/v1/public/waitlists/{id}", Route::Reads(Reads::PublicWaitlist), 200),
    public("POST", "/v1/public/waitlists/{id}/waitees", Route::Guests(Guests::Join), 201),
    public("GET", "/v1/public/visits/{token}", Route::Reads(Reads::Visit), 200),
    public("POST", "/v1/public/visits/{token}/confirm", Route::Guests(Guests::Confirm), 200),
    public("POST", "/v1/public/visits/{token}/leave", Route::Guests(Guests::Leave), 200),
    public("GET", "/v1/openapi.json", Route::Reads(Reads::OpenApi), 200),
    public("GET", "/.well-known/jwks.json", Route::Accounts(Accounts::Jwks), 200),
    public("GET", "/healthz", Route::Reads(Reads::Health), 200),
];

/// Finds the row of a request, and the text in the place of `{id}` or `{token}` in its path. HEAD finds the
/// row of GET.
///
/// # Errors
/// No route has this path, or none of them this method.
pub fn find<'p>(method: &str, path: &'p str) -> Result<(&'static Entry, Option<&'p str>), Problem> {
    let method = if method == "HEAD" { "GET" } else { method };
    let mut allow = Vec::new();
    for entry in ROUTES {
        if let Some(id) = matches(entry.path, path) {
            if entry.method == method {
                return Ok((entry, id));
            }
            allow.push(entry.method);
            if entry.method == "GET" {
                allow.push("HEAD");
            }
        }
    }
    if allow.is_empty() {
        return Err(Problem::not_found());
    }
    let detail = format!("This path takes {}.", allow.join(", "));
    Err(Problem { allow, ..Problem::new(Slug::MethodNotAllowed, detail) })
}

/// `None` if the path does not fit the template; else the text in the place of `{id}` or `{token}`, if the
/// template has one.
fn matches<'p>(template: &str, path: &'p str) -> Option<Option<&'p str>> {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    let mut id = None;
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(id),
            (Some("{id}" | "{token}"), Some(segment)) if !segment.is_empty() => id = Some(segment),
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
        assert_eq!((entry.route, id), (Route::Hosts(Hosts::NoShowWaitee), Some("abc")));
        assert_eq!(find("GET", "/v1/waitlists").unwrap().1, None);
    }

    #[test]
    fn a_wrong_method_is_answered_with_the_allowed_ones() {
        let problem = find("PUT", "/v1/waitlists/abc").unwrap_err();
        assert_eq!(
            (problem.slug, problem.allow),
            (Slug::MethodNotAllowed, vec!["GET", "HEAD", "PATCH", "DELETE"])
        );
    }

    #[test]
    fn head_finds_the_route_of_get() {
        for path in ["/healthz", "/v1/waitlists/abc", "/v1/public/visits/abc"] {
            assert_eq!(find("HEAD", path).unwrap(), find("GET", path).unwrap(), "{path}");
        }
        assert_eq!(find("HEAD", "/v1/waitees/abc/seat").unwrap_err().allow, ["POST"]);
    }

    #[test]
    fn a_path_of_no_route_is_not_found() {
        for path in [
            "",
            "/",
            "/v1",
            "/v1/waitlists/",
            "/v1/waitlists//open",
            "/v1/waitees",
            "/v1/waitlists/a/b/c",
            "/V1/waitlists",
        ] {
            assert_eq!(find("GET", path).unwrap_err().slug, Slug::NotFound, "{path}");
        }
    }
}
