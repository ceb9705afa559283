//! Settings of the local server that nothing else would check before it is too late to say which one is wrong.

use std::{env, ops::RangeInclusive};

use axum::http::HeaderValue;
use schema::table::Table;
use url::Url;

/// DynamoDB's bounds on the name of a table.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
const TABLE_NAME_CHARS: RangeInclusive<usize> = 3..=255;

/// The origins in `WAITLIST_CORS_ORIGINS`, comma-separated.
pub(crate) fn origins() -> Result<Vec<HeaderValue>, String> {
    let listed = env::var("WAITLIST_CORS_ORIGINS").unwrap_or_default();
    listed.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(origin).collect()
}

/// An origin in the form that browsers send: in lower case, the host in ASCII, without the scheme's own port. A path or a
/// wildcard is refused, because such an origin would never be equal to one that is sent.
fn origin(text: &str) -> Result<HeaderValue, String> {
    normalised(text).and_then(|origin| origin.parse().ok()).ok_or_else(|| {
        format!(
            "WAITLIST_CORS_ORIGINS: {text:?} is no origin; write https://host.example or https://host.example:8443, \
             with no path behind it and no wildcard in it"
        )
    })
}

fn normalised(text: &str) -> Option<String> {
    let (_, authority) = text.split_once("://")?;
    if authority.contains(|c: char| "/\\?#@*".contains(c) || c.is_whitespace() || c.is_control()) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme(), host.to_ascii_lowercase()))
}

/// Whether tables can have names that start with `prefix`, which `WAITLIST_PREFIX` says.
pub(crate) fn check_prefix(prefix: &str, tables: &[Table]) -> Result<(), String> {
    let fits = |name: &String| {
        TABLE_NAME_CHARS.contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    match tables.iter().map(|table| table.name(prefix)).find(|name| !fits(name)) {
        None => Ok(()),
        Some(name) => Err(format!(
            "WAITLIST_PREFIX: no table can be named {name:?}; use letters, digits, _, . and -, and at most {} characters in all",
            TABLE_NAME_CHARS.end()
        )),
    }
}

#[cfg(test)]
mod tests {
    use schema::table::{DEPLOYED, LOCAL};

    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port_alone() {
        for (written, sent) in [
            ("https://host.example", "https://host.example"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("https://Host.Example", "https://host.example"),
            ("HTTPS://host.example:443", "https://host.example"),
            ("http://host.example:80", "http://host.example"),
            ("http://host.example:443", "http://host.example:443"),
            ("https://münchen.example", "https://xn--mnchen-3ya.example"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(origin(written).unwrap(), sent);
        }
        for wrong in [
            "https://host.example/",
            "https://host.example/app",
            "https://host.example?x",
            "https://ana@host.example",
            "https://*.host.example",
            "https://*",
            "https://host.example\\",
            "https:host.example",
            "https:///host.example",
            "https://host.example:99999",
            "host.example",
            "*",
            "null",
            "https://",
            "https:// host",
        ] {
            let message = origin(wrong).unwrap_err();
            assert!(
                message.starts_with(&format!("WAITLIST_CORS_ORIGINS: {wrong:?} is no origin")),
                "{message}"
            );
        }
    }

    #[test]
    fn a_prefix_starts_names_that_tables_can_have() {
        let tables: Vec<Table> = DEPLOYED.iter().chain(LOCAL).copied().collect();
        for good in ["waitlist", "a.b_c-D9", "x"] {
            assert_eq!(check_prefix(good, &tables), Ok(()));
        }
        for bad in ["wait list", "größe", "a/b", "\"", &"x".repeat(250)] {
            let message = check_prefix(bad, &tables).unwrap_err();
            assert!(message.starts_with("WAITLIST_PREFIX: no table can be named"), "{message}");
        }
    }
}
