use infra::vault::SubjectKey;
use schema::{
    Sealed, StreamId,
    sealed::{Opened, Personal},
};
use tracing::error;

/// Opens a sealed value of a stream. Returns `None` if it is erased or damaged; a damaged value is logged.
pub(crate) fn text<T: Personal>(stream: StreamId, key: &SubjectKey, sealed: &Sealed<T>) -> Option<String> {
    match key.open(stream, sealed) {
        Opened::Clear(value) => Some(value.clear().to_owned()),
        Opened::Erased => None,
        Opened::Damaged => {
            error!(%stream, field = T::FIELD, "could not open a damaged sealed value");
            None
        }
    }
}
