//! Settings of the local server that nothing else would check before it is too late to say which one is wrong.

use std::{env, ops::RangeInclusive};

use axum::http::{HeaderValue, Uri};
use schema::table::Table;

/// DynamoDB's bounds on the name of a table.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
const TABLE_NAME_CHARS: RangeInclusive<usize> = 3..=255;

/// The origins in `WAITLIST_CORS_ORIGINS`, comma-separated.
pub(crate) fn origins() -> Result<Vec<HeaderValue>, String> {
    let listed = env::var("WAITLIST_CORS_ORIGINS").unwrap_or_default();
    listed.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(origin).collect()
}

/// An origin as browsers name it: whatever stands behind host and port would keep it from ever being equal.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let named = text.parse::<Uri>().ok().and_then(|uri| {
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
        Some(format!("{scheme}://{authority}"))
            .filter(|named| named.eq_ignore_ascii_case(text) && !named.contains('@'))
    });
    let value = named.and_then(|named| named.to_ascii_lowercase().parse().ok());
    value.ok_or_else(|| {
        format!(
            "WAITLIST_CORS_ORIGINS: {text:?} is no origin; write https://host.example or https://host.example:8443, and nothing behind it"
        )
    })
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
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(origin(written).unwrap(), sent);
        }
        for wrong in [
            "https://host.example/",
            "https://host.example/app",
            "https://host.example?x",
            "https://ana@host.example",
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
