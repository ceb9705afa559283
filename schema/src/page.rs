//! The table of pages, from which their server, the template check and the links in messages derive.

/// A page of the web front end. It is one HTML file, served at its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    /// Sign-in, registration, the account and its lists.
    Home,
    /// A list's board, for hosts.
    Board,
    /// Joining a list, for guests.
    Join,
    /// A guest's own visit.
    Visit,
    /// Confirms an e-mail address.
    Confirm,
    /// Sets a new password.
    Reset,
    /// The events of a party, a list or the account.
    History,
    /// The events of the whole account, by filters.
    Audit,
    /// A list's board as it was, step by step.
    Replay,
    /// Rebuilds and dead letters, for operators.
    Operator,
}

pub const PAGES: [Page; 10] = [
    Page::Home,
    Page::Board,
    Page::Join,
    Page::Visit,
    Page::Confirm,
    Page::Reset,
    Page::History,
    Page::Audit,
    Page::Replay,
    Page::Operator,
];

impl Page {
    /// Also the name of its HTML file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Board => "board",
            Self::Join => "join",
            Self::Visit => "visit",
            Self::Confirm => "confirm",
            Self::Reset => "reset",
            Self::History => "history",
            Self::Audit => "audit",
            Self::Replay => "replay",
            Self::Operator => "operator",
        }
    }

    #[must_use]
    pub fn path(self) -> String {
        match self {
            Self::Home => "/".to_owned(),
            page => format!("/{}", page.name()),
        }
    }

    /// A link to the page. The fragment holds an id or a token: browsers do not send it when they load the page, so the
    /// access logs of pages lack it.
    #[must_use]
    pub fn link(self, public_url: &str, fragment: &str) -> String {
        format!("{public_url}{}#{fragment}", self.path())
    }
}
