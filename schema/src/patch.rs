//! Fields of merge patches (RFC 7396): an absent field stays unchanged, null clears it.

use serde::Deserialize;

/// Reads a field that is present: null as `Some(None)`. An absent field is `None` by `#[serde(default)]`.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
