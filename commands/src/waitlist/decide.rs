//! Decisions about a list.

use schema::{
    Problem, Slug, Time,
    waitlist::{Event, Settings, State},
};

use super::Waitlist;
use crate::Decider;

#[derive(Clone, Debug)]
pub enum Command {
    Create(Settings),
    /// Replaces the settings by these.
    Change(Settings),
    /// Lets parties join.
    Open,
    /// Lets no more parties join.
    Close,
    Delete {
        /// The number of parties on the board, from the rows.
        active: usize,
    },
}

#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    NotFound,
    /// Only a closed list can be deleted.
    StillOpen,
    /// Only a list without parties can be deleted; this many are on its board.
    NotEmpty(usize),
}

impl Decider for Waitlist {
    type Command = Command;
    type Refusal = Refusal;

    fn decide(&self, command: &Command, now: Time) -> Result<Vec<Event>, Refusal> {
        let state = match (self, command) {
            (Waitlist::None, Command::Create(settings)) => {
                return Ok(vec![Event::Created(State {
                    settings: settings.clone(),
                    open: true,
                    created_at: now,
                })]);
            }
            (Waitlist::Kept(_) | Waitlist::Deleted, Command::Create(_))
            | (Waitlist::Deleted, Command::Delete { .. }) => {
                return Ok(vec![]);
            }
            (Waitlist::None | Waitlist::Deleted, _) => return Err(Refusal::NotFound),
            (Waitlist::Kept(state), _) => state,
        };
        match command {
            Command::Create(_) => Ok(vec![]),
            Command::Change(settings) if *settings == state.settings => Ok(vec![]),
            Command::Change(settings) => {
                Ok(vec![Event::SettingsChanged(State { settings: settings.clone(), ..state.clone() })])
            }
            Command::Open if state.open => Ok(vec![]),
            Command::Open => Ok(vec![Event::Opened(State { open: true, ..state.clone() })]),
            Command::Close if !state.open => Ok(vec![]),
            Command::Close => Ok(vec![Event::Closed(State { open: false, ..state.clone() })]),
            Command::Delete { .. } if state.open => Err(Refusal::StillOpen),
            Command::Delete { active } if *active > 0 => Err(Refusal::NotEmpty(*active)),
            Command::Delete { .. } => Ok(vec![Event::Deleted(state.clone())]),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found(),
            Refusal::StillOpen => Self::new(Slug::WaitlistOpen, "Close the list before deleting it."),
            Refusal::NotEmpty(active) => Self::new(
                Slug::WaitlistNotEmpty,
                format!(
                    "Seat or remove the parties on the board before deleting the list; still there: {active}."
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use schema::value::RemindMinutes;

    use super::*;
    use crate::spec::{LIST_OPEN, NOW_MS, given, list_settings};

    fn created() -> Event {
        Event::Created(LIST_OPEN.clone())
    }

    fn opened() -> Event {
        Event::Opened(LIST_OPEN.clone())
    }

    fn closed() -> Event {
        Event::Closed(State { open: false, ..LIST_OPEN.clone() })
    }

    fn deleted() -> Event {
        Event::Deleted(State { open: false, ..LIST_OPEN.clone() })
    }

    fn delete(active: usize) -> Command {
        Command::Delete { active }
    }

    #[test]
    fn a_new_list_is_open() {
        let state = State { created_at: Time::from_millis(NOW_MS), ..LIST_OPEN.clone() };
        given([]).when(Command::Create(list_settings())).then([Event::Created(state)]);
    }

    #[test]
    fn a_list_is_created_once() {
        given([created()]).when(Command::Create(list_settings())).then_nothing();
    }

    #[test]
    fn a_list_is_closed_once_and_opened_once() {
        given([created()]).when(Command::Open).then_nothing();
        given([created()]).when(Command::Close).then([closed()]);
        given([created(), closed()]).when(Command::Close).then_nothing();
        given([created(), closed()]).when(Command::Open).then([opened()]);
    }

    #[test]
    fn only_a_closed_list_without_parties_is_deleted() {
        given([created()]).when(delete(0)).then_refused(Refusal::StillOpen);
        given([created(), closed()]).when(delete(3)).then_refused(Refusal::NotEmpty(3));
        given([created(), closed()]).when(delete(0)).then([deleted()]);
    }

    #[test]
    fn a_deleted_list_ignores_its_creation_and_deletion_and_refuses_the_rest() {
        let gone = || [created(), closed(), deleted()];
        given(gone()).when(delete(0)).then_nothing();
        given(gone()).when(Command::Create(list_settings())).then_nothing();
        given(gone()).when(Command::Close).then_refused(Refusal::NotFound);
        given(gone()).when(Command::Open).then_refused(Refusal::NotFound);
        given(gone()).when(Command::Change(list_settings())).then_refused(Refusal::NotFound);
        given([]).when(Command::Close).then_refused(Refusal::NotFound);
    }

    #[test]
    fn unchanged_settings_yield_no_event() {
        given([created()]).when(Command::Change(list_settings())).then_nothing();
        let settings = Settings { remind_minutes: RemindMinutes::parse(5).ok(), ..list_settings() };
        let changed = Event::SettingsChanged(State { settings: settings.clone(), ..LIST_OPEN.clone() });
        given([created()]).when(Command::Change(settings)).then([changed]);
    }
}
