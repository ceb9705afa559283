//! Finds the route of a request by its method and path.

use super::{Entry, ROUTES};
use crate::problem::{Problem, Slug};

/// The texts that a path has in the places of its parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters<'p> {
    /// In the place of `{id}`.
    pub id: Option<&'p str>,
    /// In the place of `{name}`.
    pub name: Option<&'p str>,
    /// In the place of `{token}`: a credential that must not be logged.
    pub token: Option<&'p str>,
}

/// Finds the row of a request in the table of routes, and the parameters in its path. HEAD finds the row of GET.
///
/// # Errors
/// No route has this path, or none of them this method.
pub fn find<'p>(method: &str, path: &'p str) -> Result<(&'static Entry, Parameters<'p>), Problem> {
    let method = if method == "HEAD" { "GET" } else { method };
    let mut allow = Vec::new();
    for entry in ROUTES {
        if let Some(parameters) = matches(entry.path, path) {
            if entry.method == method {
                return Ok((entry, parameters));
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

/// `None` if the path does not fit the template; else the texts in the places of its parameters.
fn matches<'p>(template: &str, path: &'p str) -> Option<Parameters<'p>> {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    let mut found = Parameters::default();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(found),
            (Some(w), Some(g)) if w == g => {}
            (Some(w), Some(g)) if !g.is_empty() => *place(&mut found, w)? = Some(g),
            _ => return None,
        }
    }
}

/// The place of a parameter of this name in a template.
fn place<'f, 'p>(found: &'f mut Parameters<'p>, parameter: &str) -> Option<&'f mut Option<&'p str>> {
    match parameter {
        "{id}" => Some(&mut found.id),
        "{name}" => Some(&mut found.name),
        "{token}" => Some(&mut found.token),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{Hosts, Operations, Route};

    #[test]
    fn a_path_finds_its_route_and_id() {
        let (entry, Parameters { id, .. }) = find("POST", "/v1/waitees/abc/no-show").unwrap();
        assert_eq!((entry.route, id), (Route::Hosts(Hosts::NoShowWaitee), Some("abc")));
        assert_eq!(find("GET", "/v1/waitlists").unwrap().1, Parameters::default());
    }

    #[test]
    fn a_path_may_have_several_parameters() {
        let (entry, found) = find("POST", "/v1/projections/waitees/rebuilds/abc/promote").unwrap();
        assert_eq!(entry.route, Route::Operations(Operations::PromoteRebuild));
        assert_eq!(found, Parameters { id: Some("abc"), name: Some("waitees"), token: None });
        let (_, found) = find("GET", "/v1/public/visits/xyz").unwrap();
        assert_eq!(found, Parameters { id: None, name: None, token: Some("xyz") });
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
