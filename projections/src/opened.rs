//! Sealed values as they are shown.

use infra::vault::SubjectKey;
use schema::{
    Sealed, StreamId,
    sealed::{Opened, Personal},
};
use tracing::error;

/// A value of this stream in clear. None when it cannot be shown: one that is damaged is logged, and holds up nothing else.
pub(crate) fn text<T: Personal>(stream: StreamId, key: &SubjectKey, sealed: &Sealed<T>) -> Option<String> {
    match key.open(stream, sealed) {
        Opened::Clear(value) => Some(value.clear().to_owned()),
        Opened::Erased => None,
        Opened::Damaged => {
            error!(%stream, field = T::FIELD, "a sealed value is damaged");
            None
        }
    }
}
