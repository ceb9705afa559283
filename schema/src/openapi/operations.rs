//! Operations of operators.

use super::operation::{
    Effect::{Acts, Commands, Creates, Shows},
    Operation,
};
use crate::{
    body::{
        Empty, Page,
        projection::{DeadLetter, Projection, Quote, Rebuild, StartRebuild},
    },
    parameter::Parameter::{Cursor, Limit},
    problem::Slug::{AlreadyRunning, DoorbellsParked, InvalidStage, InvalidValue, NoFormerGeneration},
    route::Operations,
};

pub(super) fn operation(route: Operations) -> Operation {
    match route {
        Operations::Projections => Operation::new(Shows, "listProjections", "The projections with their generations")
            .query(&[Limit, Cursor])
            .answers::<Page<Projection>>(),
        Operations::Rebuilds => Operation::new(Shows, "listRebuilds", "The last 20 rebuilds of a projection, newest first")
            .query(&[Limit, Cursor])
            .answers::<Page<Rebuild>>(),
        Operations::StartRebuild => Operation::new(Creates, "startRebuild", "Rebuild a projection from the log")
            .about(
                "Makes a new generation of rows while reads go on, compares it with the live one, and makes it live. \
                 The generation before the live one is no longer kept. With `dry_run`, the rebuild is only estimated: \
                 nothing is stored, an Idempotency-Key is ignored, and it is answered also while a rebuild runs.",
            )
            .takes::<StartRebuild>()
            .rebuild_written()
            .or_answers::<Quote>()
            .refuses(&[AlreadyRunning, InvalidValue]),
        Operations::Rebuild => {
            Operation::new(Shows, "getRebuild", "The progress and the report of a rebuild").answers::<Rebuild>()
        }
        Operations::PromoteRebuild => Operation::new(Commands, "promoteRebuild", "Make the rows of a rebuild live")
            .about("A rebuild that is ready, or one that was rolled back while its rows are kept.")
            .takes::<Empty>()
            .rebuild_written()
            .refuses(&[InvalidStage, DoorbellsParked]),
        Operations::CancelRebuild => Operation::new(Commands, "cancelRebuild", "Give up an unfinished rebuild")
            .takes::<Empty>()
            .rebuild_written()
            .refuses(&[InvalidStage]),
        Operations::RollBack => {
            Operation::new(Commands, "rollBack", "Make the generation before the live one live again")
                .about("`id` in the answer is the id of the projection's stream.")
                .takes::<Empty>()
                .rebuild_written()
                .refuses(&[NoFormerGeneration])
        }
        Operations::Retire => {
            Operation::new(Commands, "retirePrevious", "Keep the generation before the live one no longer")
                .about(
                    "Its table is deleted a moment later. There is no rollback then. `id` in the answer is the id of the \
                     projection's stream.",
                )
                .takes::<Empty>()
                .rebuild_written()
        }
        Operations::DeadLetters => Operation::new(Shows, "listDeadLetters", "Work that failed too often")
            .about("A page may be shorter than `limit` and still have a `next`.")
            .query(&[Limit, Cursor])
            .answers::<Page<DeadLetter>>(),
        Operations::Redrive => Operation::new(Acts, "redriveDeadLetter", "Try work again that failed too often")
            .about("It is queued again under another id.")
            .takes::<Empty>(),
    }
}
