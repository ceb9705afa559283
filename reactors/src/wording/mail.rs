//! A mail: a greeting, some paragraphs, a link, some more paragraphs; for readers that show HTML, and for those that do not.

use schema::value::Language;

/// A mail's words. They name people, and so are never printed.
#[derive(Clone)]
pub struct Worded {
    /// One line.
    pub subject: String,
    /// All of it, without HTML.
    pub text: String,
    /// All of it, with.
    pub html: String,
}

/// What stands before and behind a mail's link.
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) before: Vec<String>,
    pub(super) after: Vec<String>,
}

/// Puts a mail together.
pub(super) fn letter(language: Language, name: &str, link: &str, letter: Letter) -> Worded {
    let Letter { subject, before, after } = letter;
    let greeting = match language {
        Language::En => format!("Hello {name},"),
        Language::Es => format!("Hola, {name}:"),
    };
    let paragraphs = || std::iter::once(&greeting).chain(&before);
    let text: Vec<&str> =
        paragraphs().map(String::as_str).chain([link]).chain(after.iter().map(String::as_str)).collect();
    let paragraph = |text: &String| format!("<p>{}</p>\n", escape(text));
    let linked = format!("<p><a href=\"{0}\">{0}</a></p>\n", escape(link));
    let body: String =
        paragraphs().map(paragraph).chain([linked]).chain(after.iter().map(paragraph)).collect();
    let title = escape(&one_line(&subject));
    Worded {
        text: format!("{}\n", text.join("\n\n")),
        html: format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n{body}</body>\n</html>\n"
        ),
        subject: one_line(&subject),
    }
}

/// A subject is a line of a mail's head: what stands in it must not begin another.
fn one_line(subject: &str) -> String {
    subject
        .chars()
        .map(|char| if char.is_control() || char == '\u{2028}' || char == '\u{2029}' { ' ' } else { char })
        .collect()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
