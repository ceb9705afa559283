//! The form of a mail: a greeting, paragraphs, a link, and more paragraphs, as HTML and as plain text.

use schema::value::Language;

use super::direction::{isolate, isolates_as_html, without_needless_isolates};

/// The words of a mail. It has no `Debug`, because the words hold names.
#[derive(Clone)]
pub struct Worded {
    pub subject: String,
    /// The whole mail as plain text.
    pub text: String,
    /// The whole mail as HTML.
    pub html: String,
}

/// The parts of a mail besides its greeting. Names in them are isolated.
pub(super) struct Draft {
    pub(super) subject: String,
    pub(super) before: Vec<String>,
    pub(super) after: Vec<String>,
}

/// Builds the mail to a person of this name.
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
