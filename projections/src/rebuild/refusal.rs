//! Refused commands on projections, and their problems.

use schema::{Problem, Slug, projection::Stage};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The rebuild of this id is unfinished.
    AlreadyRunning(Uuid),
    NotFound,
    KeyReused,
    /// Only a rebuild that is ready is promoted.
    NotReady(Stage),
    /// A finished rebuild is not cancelled.
    Finished(Stage),
    NoFormerGeneration,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AlreadyRunning(id) => {
                let detail = format!("Rebuild {id} is unfinished. Cancel it, or wait until it is finished.");
                Self::new(Slug::AlreadyRunning, detail)
            }
            Refusal::NotFound => Self::not_found(),
            Refusal::KeyReused => Self::key_reused(),
            Refusal::NotReady(stage) => {
                let detail =
                    format!("A rebuild is promoted when it is ready; this one is {}.", stage.as_str());
                Self::new(Slug::InvalidStage, detail)
            }
            Refusal::Finished(stage) => {
                let detail =
                    format!("An unfinished rebuild can be cancelled; this one is {}.", stage.as_str());
                Self::new(Slug::InvalidStage, detail)
            }
            Refusal::NoFormerGeneration => {
                let detail =
                    "There is no former generation: it is kept for a day after a rebuild was promoted.";
                Self::new(Slug::NoFormerGeneration, detail)
            }
        }
    }
}
