//! Values of options.

use std::time::Duration;

use schema::StreamId;

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "write a duration such as 90s, 15m or 2h".to_owned())
}

pub(super) fn stream(text: &str) -> Result<StreamId, String> {
    text.parse()
        .map_err(|_| "must be a stream, such as waitee-01920000-0000-7000-8000-000000000000".to_owned())
}
