//! Faults of the calls about a subject.

use std::sync::{Arc, Mutex};

/// A trouble that never ends.
pub const ALWAYS: u32 = u32::MAX;

/// The fault of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The process dies. The call is not executed.
    Dies,
    /// Neither executed nor answered, until the function's time-out ends the process.
    Hangs,
    /// Refused with an error that may pass.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Tables,
    Queues,
}

/// The fate of the next `calls` that name the subject.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub subject: String,
    pub service: Service,
    pub fate: Fate,
    pub calls: u32,
}

/// All troubles of a case. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Troubles(Arc<Mutex<Vec<Trouble>>>);

impl Troubles {
    pub fn add(&self, trouble: Trouble) {
        self.0.lock().unwrap().push(trouble);
    }

    /// Takes the fate of a call with this body. Of several troubles the first counts.
    pub(super) fn meet(&self, service: Service, body: &str) -> Option<Fate> {
        let mut troubles = self.0.lock().unwrap();
        let met = troubles.iter_mut().find(|trouble| {
            trouble.service == service && trouble.calls > 0 && body.contains(&trouble.subject)
        })?;
        if met.calls != ALWAYS {
            met.calls -= 1;
        }
        Some(met.fate)
    }
}
