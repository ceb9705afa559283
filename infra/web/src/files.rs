//! The files of the web front end. They are compiled into the program.

/// A file of a page, or one that pages load.
#[derive(Clone, Copy, Debug)]
pub struct File {
    pub name: &'static str,
    pub text: &'static str,
}

macro_rules! files {
    ($folder:literal: $($name:literal)*) => {
        &[$(File { name: $name, text: include_str!(concat!("../", $folder, "/", $name)) }),*]
    };
}

/// The HTML file of each page.
pub const PAGES: &[File] = files!("pages":
    "board.html"
    "confirm.html"
    "home.html"
    "join.html"
    "reset.html"
    "visit.html"
);

/// What pages load: scripts, styles and the icon.
pub const ASSETS: &[File] = files!("assets":
    "api.js"
    "board-feed.js"
    "board-words.js"
    "board.css"
    "board.js"
    "day-list.js"
    "dialog.js"
    "dom.js"
    "form.js"
    "home.js"
    "icon.svg"
    "join-link.js"
    "list-form.js"
    "list-settings.js"
    "messages.js"
    "outbox-store.js"
    "outbox.js"
    "party-form.js"
    "party-row.js"
    "poll.js"
    "qr.js"
    "session.js"
    "styles.css"
    "time.js"
);
