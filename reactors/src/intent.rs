//! What is to be done because of a fact.

use std::time::Duration;

use infra::{Backend, Failure};
use schema::StreamId;
use serde::{Deserialize, Serialize};

/// What is to be done. It travels as the body of a message, so it names things and holds nothing personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "intent", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Intent {
    /// Forget the account or guest whose stream this is.
    Forget {
        /// The stream.
        stream: StreamId,
    },
}

impl Intent {
    /// Puts it on the queue of those who do such things.
    ///
    /// # Errors
    /// The queue did not answer: it may hold the message or not.
    pub async fn send(&self, backend: &Backend) -> Result<(), Failure> {
        let queue = match self {
            Self::Forget { .. } => &backend.erasures,
        };
        let body = serde_json::to_string(self).map_err(|cause| Failure::broken("write an intent", cause))?;
        queue.send(&body, Duration::ZERO).await.map(drop).map_err(|cause| Failure::broken("send an intent", cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_is_read_as_it_was_written() {
        let stream = "waitee-01920000-0000-7000-8000-000000000000".parse().unwrap();
        let body = r#"{"intent":"forget","stream":"waitee-01920000-0000-7000-8000-000000000000"}"#;
        assert_eq!(serde_json::to_string(&Intent::Forget { stream }).unwrap(), body);
        assert_eq!(serde_json::from_str::<Intent>(body).unwrap(), Intent::Forget { stream });
        for other in ["", "{}", r#"{"intent":"forget"}"#, r#"{"intent":"greet"}"#, r#"{"intent":"forget","stream":"waitee-"}"#] {
            assert!(serde_json::from_str::<Intent>(other).is_err(), "{other}");
        }
    }
}
