//! What may be done with a list.

use schema::{
    Problem, Slug, Time,
    body::ChangeWaitlist,
    waitlist::{Event, Settings, State},
};

use super::Waitlist;

/// What a host wants of a list.
#[derive(Clone, Debug)]
pub enum Command {
    /// Make it.
    Create(Settings),
    /// Run it differently.
    Change(ChangeWaitlist),
    /// Take parties.
    Open,
    /// Take no more parties.
    Close,
    /// Be rid of it.
    Delete {
        /// How many parties are on its board.
        active: usize,
    },
}

/// Why not.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such list.
    NotFound,
    /// A list is deleted only when closed.
    StillOpen,
    /// A list is deleted only when nobody waits.
    NotEmpty(usize),
    /// Values that do not fit the ones that stay.
    Invalid(Problem),
}

/// Decides.
///
/// # Errors
/// The command is refused.
pub fn decide(list: &Waitlist, command: &Command, now: Time) -> Result<Vec<Event>, Refusal> {
    let state = match (list, command) {
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
        Command::Change(patch) => {
            let settings = patch.apply(&state.settings).map_err(Refusal::Invalid)?;
            if settings == state.settings {
                Ok(vec![])
            } else {
                Ok(vec![Event::SettingsChanged(State { settings, ..state.clone() })])
            }
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

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found(),
            Refusal::StillOpen => Self::new(Slug::WaitlistOpen, "Close the list before deleting it."),
            Refusal::NotEmpty(active) => {
                Self::new(Slug::WaitlistNotEmpty, format!("{active} parties are still on the board."))
            }
            Refusal::Invalid(problem) => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{LIST_OPEN, given, list_settings};

    fn change(json: &str) -> Command {
        Command::Change(schema::check::json(json.as_bytes()).unwrap())
    }

    fn closed() -> Event {
        Event::Closed(State { open: false, ..LIST_OPEN.clone() })
    }

    fn created() -> Event {
        Event::Created(LIST_OPEN.clone())
    }

    fn when(given_events: Vec<Event>, command: Command) -> Result<Vec<Event>, Refusal> {
        given::<Waitlist>(given_events).when(|list, now| decide(list, &command, now))
    }

    #[test]
    fn a_new_list_is_open() {
        let decided = when(vec![], Command::Create(list_settings())).unwrap();
        assert!(matches!(&decided[..], [Event::Created(state)] if state.open));
    }

    #[test]
    fn a_list_is_made_once() {
        assert_eq!(when(vec![created()], Command::Create(list_settings())), Ok(vec![]));
    }

    #[test]
    fn closing_and_opening_again_changes_and_repeating_does_not() {
        assert_eq!(when(vec![created()], Command::Close), Ok(vec![closed()]));
        assert_eq!(when(vec![created(), closed()], Command::Close), Ok(vec![]));
        assert_eq!(
            when(vec![created(), closed()], Command::Open),
            Ok(vec![Event::Opened(LIST_OPEN.clone())])
        );
        assert_eq!(when(vec![created()], Command::Open), Ok(vec![]));
    }

    #[test]
    fn a_list_is_deleted_only_closed_and_empty() {
        assert_eq!(when(vec![created()], Command::Delete { active: 0 }), Err(Refusal::StillOpen));
        assert_eq!(when(vec![created(), closed()], Command::Delete { active: 3 }), Err(Refusal::NotEmpty(3)));
        assert!(matches!(
            &when(vec![created(), closed()], Command::Delete { active: 0 }).unwrap()[..],
            [Event::Deleted(_)]
        ));
    }

    #[test]
    fn a_deleted_list_is_gone() {
        let deleted = || vec![created(), closed(), Event::Deleted(LIST_OPEN.clone())];
        assert_eq!(when(deleted(), Command::Delete { active: 0 }), Ok(vec![]));
        assert_eq!(when(deleted(), Command::Open), Err(Refusal::NotFound));
        assert_eq!(when(deleted(), change("{}")), Err(Refusal::NotFound));
        assert_eq!(when(vec![], Command::Close), Err(Refusal::NotFound));
    }

    #[test]
    fn a_patch_that_changes_nothing_is_no_event() {
        assert_eq!(when(vec![created()], change("{}")), Ok(vec![]));
        assert_eq!(when(vec![created()], change(r#"{"hold_minutes": 10}"#)), Ok(vec![]));
    }

    #[test]
    fn a_patch_is_checked_against_what_stays() {
        let decided = when(vec![created()], change(r#"{"hold_minutes": 20, "remind_minutes": 15}"#)).unwrap();
        assert_eq!(decided[0].state().settings.remind_minutes.unwrap().get(), 15);
        assert!(matches!(
            when(vec![created()], change(r#"{"remind_minutes": 10}"#)),
            Err(Refusal::Invalid(_))
        ));
        assert!(matches!(when(vec![created()], change(r#"{"name": null}"#)), Err(Refusal::Invalid(_))));
    }
}
