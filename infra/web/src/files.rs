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
    "audit.html"
    "board.html"
    "confirm.html"
    "history.html"
    "home.html"
    "join.html"
    "operator.html"
    "replay.html"
    "reset.html"
    "visit.html"
);

/// The scripts, the styles and the icon, which pages load.
pub const ASSETS: &[File] = files!("assets":
    "api.js"
    "audit-export.js"
    "audit-filters.js"
    "audit-rows.js"
    "audit-verify.js"
    "audit.js"
    "board-feed.js"
    "board-words.js"
    "board.css"
    "board.js"
    "confirm.js"
    "day-list.js"
    "dead-letters.js"
    "dialog.js"
    "dom.js"
    "edit-form.js"
    "event-details.js"
    "event-row.js"
    "event-words.js"
    "form.js"
    "guest.css"
    "history.js"
    "home.js"
    "icon.svg"
    "join-link.js"
    "join-once.js"
    "join.js"
    "link.js"
    "list-form.js"
    "list-settings.js"
    "messages.js"
    "operator.js"
    "outbox-store.js"
    "outbox.js"
    "owner.css"
    "owner.js"
    "party-form.js"
    "party-row.js"
    "password-advice.js"
    "poll.js"
    "projection-card.js"
    "qr.js"
    "rebuild-form.js"
    "rebuild-view.js"
    "replay-board.js"
    "replay-boards.js"
    "replay-steps.js"
    "replay.js"
    "reset.js"
    "session.js"
    "storage.js"
    "styles.css"
    "text.en.js"
    "text.es.js"
    "text.js"
    "time.js"
    "visit-words.js"
    "visit.js"
    "zone.js"
);
