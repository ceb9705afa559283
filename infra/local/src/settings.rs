//! Checks settings of the local server at the start, so that the error names the wrong setting.

use std::{env, ops::RangeInclusive};

use axum::http::HeaderValue;
use schema::table::{ROWS, Table};
use url::Url;

/// DynamoDB's bounds on the name of a table.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
const TABLE_NAME_CHARS: RangeInclusive<usize> = 3..=255;

/// Reads the origins in `WAITLIST_CORS_ORIGINS`, separated by commas.
pub(crate) fn origins() -> Result<Vec<HeaderValue>, String> {
    let listed = env::var("WAITLIST_CORS_ORIGINS").unwrap_or_default();
    listed.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(origin).collect()
}

/// Brings an origin into the form that browsers send: lower case, the host in ASCII, without the scheme's
/// default port. Refuses paths and wildcards, because no browser sends such an origin.
fn origin(text: &str) -> Result<HeaderValue, String> {
    normalised(text).and_then(|origin| origin.parse().ok()).ok_or_else(|| {
        format!(
            "WAITLIST_CORS_ORIGINS: {text:?} is not an origin; write https://host.example or https://host.example:8443, \
             without a path and without a wildcard"
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

/// Checks that `WAITLIST_PREFIX` can start the names of tables, those of rows in any generation included.
pub(crate) fn check_prefix(prefix: &str, tables: &[Table]) -> Result<(), String> {
    let fits = |name: &String| {
        TABLE_NAME_CHARS.contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    let rows = ROWS.iter().map(|rows| rows.generation(u64::MAX).name(prefix));
    match tables.iter().map(|table| table.name(prefix)).chain(rows).find(|name| !fits(name)) {
        None => Ok(()),
        Some(name) => Err(format!(
            "WAITLIST_PREFIX: a table cannot be named {name:?}; use letters, digits, _, . and -, and at most {} characters in all",
            TABLE_NAME_CHARS.end()
        )),
    }
}

#[cfg(test)]
mod tests {
    use schema::table::{DECLARED, LOCAL};

    use super::*;

    #[test]
    fn an_origin_is_normalised_and_anything_more_is_refused() {
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
                message.starts_with(&format!("WAITLIST_CORS_ORIGINS: {wrong:?} is not an origin")),
                "{message}"
            );
        }
    }

    #[test]
    fn a_prefix_must_fit_into_table_names() {
        let tables: Vec<Table> = DECLARED.iter().chain(LOCAL).cloned().collect();
        for good in ["waitlist", "a.b_c-D9", "x"] {
            assert_eq!(check_prefix(good, &tables), Ok(()));
        }
        for bad in ["wait list", "größe", "a/b", "\"", &"x".repeat(250)] {
            let message = check_prefix(bad, &tables).unwrap_err();
            assert!(message.starts_with("WAITLIST_PREFIX: a table cannot be named"), "{message}");
        }
    }
}
