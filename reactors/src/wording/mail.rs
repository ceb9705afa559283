//! A mail: a greeting, some paragraphs, a link, some more paragraphs; for readers that show HTML, and for those that do not.

use schema::value::Language;

use super::direction::{isolate, isolates_as_html, without_needless_isolates};

/// A mail's words. They name people, and so are never printed.
#[derive(Clone)]
pub struct Worded {
    /// One line.
    pub subject: String,
    /// The whole mail without HTML.
    pub text: String,
    /// The whole mail in HTML.
    pub html: String,
}

/// The parts of a mail besides its greeting. Names in it stand between isolates.
pub(super) struct Draft {
    pub(super) subject: String,
    /// Paragraphs before the link.
    pub(super) before: Vec<String>,
    /// Paragraphs after the link.
    pub(super) after: Vec<String>,
}

/// Words a mail to the person of this name.
pub(super) fn mail(language: Language, name: &str, link: &str, draft: Draft) -> Worded {
    let Draft { subject, before, after } = draft;
    let name = isolate(name);
    let greeting = match language {
        Language::En => format!("Hello {name},"),
        Language::Es => format!("Hola, {name}:"),
    };
    let paragraphs = || std::iter::once(&greeting).chain(&before);
    let text: Vec<&str> =
        paragraphs().map(String::as_str).chain([link]).chain(after.iter().map(String::as_str)).collect();
    let paragraph = |text: &String| format!("<p>{}</p>\n", isolates_as_html(&escape(text)));
    let linked = format!("<p><a href=\"{0}\">{0}</a></p>\n", escape(link));
    let body: String =
        paragraphs().map(paragraph).chain([linked]).chain(after.iter().map(paragraph)).collect();
    let subject = without_needless_isolates(&subject);
    let title = escape(&subject); // an HTML title holds text alone
    Worded {
        text: format!("{}\n", without_needless_isolates(&text.join("\n\n"))),
        html: format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n{body}</body>\n</html>\n"
        ),
        subject,
    }
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
