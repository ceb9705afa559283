//! Refusals of commands to a visit, and the problems that clients see.

use schema::{Problem, Slug, waitee::State};

#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The visit or its list does not exist.
    NotFound,
    ListClosed,
    /// The list holds as many parties as it may.
    ListFull(u32),
    /// The state does not allow the host's command.
    NotFrom(State),
    /// The state does not allow the guest's command.
    NotFromForGuest(State),
    /// The visit ended too long ago.
    Over(State),
    /// The party to move next to is not on this board.
    NotOnBoard,
    /// No rank is left between two places.
    RankExhausted,
    /// The guest was erased.
    Erased,
}

impl Refusal {
    /// The refusal that the visit's own guest gets. An erased visit reads as not found.
    pub(super) fn for_guest(self) -> Self {
        match self {
            Self::NotFound | Self::Erased => Self::NotFound,
            Self::NotFrom(state) | Self::NotFromForGuest(state) => Self::NotFromForGuest(state),
            Self::Over(_) | Self::ListClosed | Self::ListFull(_) | Self::NotOnBoard | Self::RankExhausted => {
                self
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found(),
            Refusal::ListClosed => Self::new(Slug::WaitlistClosed, "The list takes no parties now."),
            Refusal::ListFull(capacity) => {
                Self::new(Slug::WaitlistFull, format!("The list holds {capacity} parties and is full."))
            }
            Refusal::NotFrom(state) => not_from(state, allowed(state)),
            Refusal::NotFromForGuest(state) => not_from(state, allowed_to_guests(state)),
            Refusal::Over(state) => not_from(state, Vec::new()),
            Refusal::NotOnBoard => {
                Self::new(Slug::NotOnBoard, "The party to move next to is not on this list's board.")
            }
            Refusal::Erased => Self::erased(),
            Refusal::RankExhausted => Self::new(
                Slug::RankExhausted,
                "No room is left between these two; move one of them elsewhere first.",
            ),
        }
    }
}

fn not_from(state: State, allowed: Vec<&'static str>) -> Problem {
    let detail = match allowed.as_slice() {
        [] => "In this state the visit allows nothing more.".to_owned(),
        some => format!("In this state the visit allows: {}.", some.join(", ")),
    };
    Problem { state: Some((state, allowed)), ..Problem::new(Slug::InvalidTransition, detail) }
}

/// The commands that a state allows, as the contract names them.
pub(super) fn allowed(state: State) -> Vec<&'static str> {
    match state {
        State::Waiting => vec!["call", "seat", "no-show", "leave", "remove", "move"],
        State::Called => vec!["call", "confirm", "seat", "no-show", "leave", "remove", "restore", "move"],
        State::Confirmed => vec!["seat", "no-show", "leave", "remove", "restore", "move"],
        State::Seated | State::Left | State::Removed | State::NoShow => vec!["restore"],
    }
}

fn allowed_to_guests(state: State) -> Vec<&'static str> {
    allowed(state).into_iter().filter(|action| matches!(*action, "confirm" | "leave")).collect()
}
