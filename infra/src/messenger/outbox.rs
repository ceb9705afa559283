//! The outbox: a directory of mails and texts that are not sent. Each send is a new file of a random name, so
//! that what was sent twice is there twice; a file appears whole or not at all.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use mail_builder::{
    MessageBuilder,
    headers::{raw::Raw, text::Text as Header},
};
use mail_parser::{Message, MessageParser};
use schema::{Time, sealed::Personal};
use serde::Serialize;
use tracing::warn;

use super::{AUTO_SUBMITTED, Mail, SendError, Tags, Text};
use crate::{
    clock::{Clock, random},
    file,
};

const FROM: &str = "waitlist@localhost";
const STREAM: &str = "X-Waitlist-Stream";
const MESSAGE: &str = "X-Waitlist-Message";
const KIND: &str = "X-Waitlist-Kind";
/// The time with milliseconds, which a mail's `Date` lacks.
const AT: &str = "X-Waitlist-At";
const TO: &str = "X-Waitlist-To";

/// A directory of mails and texts.
#[derive(Clone, Debug)]
pub struct Outbox {
    directory: PathBuf,
    clock: Clock,
}

/// A mail or text in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub id: String,
    pub kind: String,
    pub channel: &'static str,
    pub to: String,
    pub subject: Option<String>,
    pub body: String,
    pub file: PathBuf,
    pub at: Time,
    pub stream: String,
    pub message: String,
}

impl Outbox {
    /// Uses this directory; the first message creates it.
    #[must_use]
    pub fn new(directory: PathBuf, clock: Clock) -> Self {
        Self { directory, clock }
    }

    pub(super) async fn put_mail(&self, mail: &Mail) -> Result<String, SendError> {
        let now = self.clock.now();
        let built = MessageBuilder::new()
            .from(FROM)
            .to(mail.to.clear())
            .message_id(format!("{}@localhost", HEXLOWER.encode(&random::<8>())))
            .date(now.millis().div_euclid(1_000))
            .subject(mail.subject.as_str())
            .header(AUTO_SUBMITTED.0, Header::new(AUTO_SUBMITTED.1))
            .header(STREAM, Header::new(mail.tags.stream.to_string()))
            .header(MESSAGE, Header::new(mail.tags.message.as_str()))
            .header(KIND, Header::new(mail.tags.kind))
            .header(AT, Header::new(now.to_string()))
            .header(TO, Raw::new(mail.to.clear()))
            .text_body(mail.text.as_str())
            .html_body(mail.html.as_str());
        self.put("eml", built.write_to_vec().map_err(not_now)?).await
    }

    pub(super) async fn put_text(&self, text: &Text) -> Result<String, SendError> {
        let Tags { stream, message, kind } = &text.tags;
        let (to, now) = (text.to.clear(), self.clock.now());
        let head =
            format!("{TO}: {to}\n{AT}: {now}\n{STREAM}: {stream}\n{MESSAGE}: {message}\n{KIND}: {kind}\n");
        let typed =
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n";
        self.put("txt", format!("{head}{typed}\n{}\n", text.body).into_bytes()).await
    }

    async fn put(&self, extension: &'static str, bytes: Vec<u8>) -> Result<String, SendError> {
        let directory = self.directory.clone();
        let written = tokio::task::spawn_blocking(move || write(&directory, extension, &bytes)).await;
        written.map_err(io::Error::other).and_then(|id| id).map_err(not_now)
    }

    /// All messages, the oldest first.
    ///
    /// # Errors
    /// The directory or a file cannot be read.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        self.new_entries(&mut HashSet::new())
    }

    /// Returns the messages in files whose names are not in `seen`, oldest first, and adds their names to it.
    /// Skips files that are not messages or not regular files: reading a pipe would wait for ever.
    ///
    /// # Errors
    /// The directory or a file cannot be read.
    pub fn new_entries(&self, seen: &mut HashSet<OsString>) -> io::Result<Vec<Entry>> {
        let files = match fs::read_dir(&self.directory) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files?,
        };
        let mut entries = Vec::new();
        for found in files {
            let found = found?;
            let file = found.path();
            let channel = match file.extension().and_then(|extension| extension.to_str()) {
                Some("eml") => "email",
                Some("txt") => "sms",
                _ => continue, // a draft
            };
            if !found.file_type()?.is_file() || !seen.insert(found.file_name()) {
                continue;
            }
            let bytes = match fs::read(&file) {
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => continue, // removed a moment ago
                bytes => bytes?,
            };
            let parsed =
                MessageParser::default().parse(&bytes).and_then(|message| entry(&file, channel, &message));
            match parsed {
                Some(entry) => entries.push(entry),
                None => {
                    warn!(file = %file.display(), "skipped a file in the outbox: it is not a complete message")
                }
            }
        }
        entries.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        Ok(entries)
    }
}

fn entry(file: &Path, channel: &'static str, message: &Message<'_>) -> Option<Entry> {
    let head = |name: &'static str| Some(message.header_raw(name)?.trim().to_owned());
    Some(Entry {
        id: file.file_stem()?.to_str()?.to_owned(),
        kind: head(KIND)?,
        channel,
        to: head(TO)?,
        subject: message.subject().map(str::to_owned),
        body: message.body_text(0)?.trim_end().replace("\r\n", "\n"),
        file: file.to_owned(),
        at: head(AT)?.parse().ok()?,
        stream: head(STREAM)?,
        message: head(MESSAGE)?,
    })
}

fn write(directory: &Path, extension: &str, bytes: &[u8]) -> io::Result<String> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let id = HEXLOWER.encode(&random::<16>());
    fs::rename(file::draft(directory, bytes)?, directory.join(format!("{id}.{extension}")))?;
    Ok(id)
}

/// A failed write may be retried: a message exists only once its file has been renamed into place.
fn not_now(cause: io::Error) -> SendError {
    SendError::Busy { code: format!("{:?}", cause.kind()) }
}

#[cfg(test)]
mod tests {
    use schema::value::{Email, Phone};
    use uuid::Uuid;

    use super::*;

    fn tags() -> Tags {
        Tags {
            stream: schema::WaiteeId(Uuid::from_u128(7)).into(),
            message: "table-ready-2".into(),
            kind: "table-ready",
        }
    }

    /// An address that does not fit into one line of a mail's header.
    const TO_ALL: &str = "juergen.der.einen.sehr.langen.namen.hat.und.mehr@eine.sehr.lange.adresse.aus.xn--mnchen-3ya.example.com";

    fn outbox() -> (tempfile::TempDir, Outbox) {
        let directory = tempfile::tempdir().unwrap();
        let at = "2026-11-21T03:00:00.007Z".parse().unwrap();
        let outbox = Outbox::new(directory.path().join("outbox"), Clock::fixed(at));
        (directory, outbox)
    }

    #[tokio::test]
    async fn a_mail_and_a_text_are_read_back_as_they_were_sent() {
        let (_directory, outbox) = outbox();
        assert_eq!(outbox.entries().unwrap(), []);
        let mail = Mail {
            to: Email::parse(TO_ALL).unwrap(),
            subject: "Su mesa está lista, señora Ñandú y toda la familia que espera con usted".into(),
            text:
                "Größe 🍜\n\nhttps://waitlist.example/visit#abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
                    .into(),
            html: "<p>Größe 🍜</p>".into(),
            tags: tags(),
        };
        let id = outbox.put_mail(&mail).await.unwrap();
        outbox.clock.advance_millis(1);
        let text = Text {
            to: Phone::parse("+14155552671", "US".parse().unwrap()).unwrap(),
            body: "Größe 🍜".into(),
            tags: tags(),
        };
        outbox.put_text(&text).await.unwrap();
        let [first, second] = outbox.entries().unwrap().try_into().unwrap();
        assert_eq!(
            (first.id, first.channel, first.to.as_str(), first.subject),
            (id, "email", TO_ALL, Some(mail.subject))
        );
        assert_eq!(
            (first.body, first.kind.as_str(), first.at.to_string()),
            (mail.text, "table-ready", "2026-11-21T03:00:00.007Z".into())
        );
        assert_eq!((first.stream, first.message.as_str()), (tags().stream.to_string(), "table-ready-2"));
        assert_eq!(
            (second.channel, second.to.as_str(), second.subject, second.body.as_str()),
            ("sms", "+14155552671", None, "Größe 🍜")
        );
        let mail = fs::read_to_string(first.file).unwrap();
        assert!(
            mail.contains("multipart/alternative") && mail.contains("\nAuto-Submitted: auto-generated"),
            "{mail}"
        );
    }

    #[tokio::test]
    async fn new_entries_returns_each_message_once_and_skips_pipes_and_other_files() {
        let (_directory, outbox) = outbox();
        let text = Text {
            to: Phone::parse("+14155552671", "US".parse().unwrap()).unwrap(),
            body: "ready".into(),
            tags: tags(),
        };
        let first = outbox.put_text(&text).await.unwrap();
        for pipe in ["pipe.txt", "pipe.eml"] {
            let made =
                std::process::Command::new("mkfifo").arg(outbox.directory.join(pipe)).status().unwrap();
            assert!(made.success());
        }
        fs::write(outbox.directory.join("letter.txt"), "not a message").unwrap();
        let mut seen = HashSet::new();
        let ids = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>();
        assert_eq!(ids(outbox.new_entries(&mut seen).unwrap()), [first]);
        assert_eq!(ids(outbox.new_entries(&mut seen).unwrap()), Vec::<String>::new());
        let second = outbox.put_text(&text).await.unwrap();
        assert_eq!(ids(outbox.new_entries(&mut seen).unwrap()), [second]);
    }

    #[tokio::test]
    async fn a_message_sent_twice_makes_two_entries() {
        let (_directory, outbox) = outbox();
        let text = Text {
            to: Phone::parse("+14155552671", "US".parse().unwrap()).unwrap(),
            body: "ready".into(),
            tags: tags(),
        };
        outbox.put_text(&text).await.unwrap();
        outbox.put_text(&text).await.unwrap();
        assert_eq!(outbox.entries().unwrap().len(), 2);
    }
}
