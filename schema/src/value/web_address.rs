//! Finds text in names that mail programs and telephones turn into a link. Strangers choose names and our
//! messages show them, so a link in a name would be an advertisement under our sender.
//!
//! Names of people have full stops too, and some end like a host: J.Li, Dr.No, Mrs.Ng. After initials or a
//! title, an ending that is a top-level domain may therefore be a surname, unless it is in
//! [`NEVER_SURNAMES`].

use core::net::Ipv6Addr;

use super::characters::plain;

/// Top-level domains that are taken for no surname, even after initials or a title.
const NEVER_SURNAMES: &str =
    "app biz click com edu gov info lol mil mov net online org sbs shop site store xyz zip";

/// Titles before a surname. Shorter words are taken for initials or titles anyway.
const TITLES: &str = "capt frau herr hon miss mlle mme mrs prof rev sra srta sta";

/// The longest word that is taken for initials or a title without being listed.
const INITIALS_CHARS_MAX: usize = 2;

/// Schemes that programs turn into links without `//` after them.
const SCHEMES: &str = "callto facetime mailto sip skype sms tel whatsapp";

/// The full stops of domain names, in form NFKC.
const DOTS: [char; 2] = ['.', '\u{3002}'];

/// Whether a part of the text would become a link. E-mail addresses do not count.
#[must_use]
pub fn is_in(text: &str) -> bool {
    let text = plain(text);
    text.contains("://") || holds_scheme(&text) || holds_ipv6(&text) || holds_host(&text)
}

/// Whether a mail program would decode a part of the text (RFC 2047): `=?utf-8?q?...`. The decoded text could
/// be a link. The end `?=` need not be there, because lenient programs do not ask for it.
pub(super) fn holds_encoded_word(text: &str) -> bool {
    let text = plain(text);
    text.match_indices("=?").any(|(at, start)| {
        let mut parts = text[at + start.len()..].split('?');
        let (charset, encoding, rest) = (parts.next(), parts.next(), parts.next());
        charset.is_some_and(|charset| !charset.is_empty())
            && encoding.is_some_and(|encoding| is_listed("b q", encoding))
            && rest.is_some()
    })
}

fn holds_scheme(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.windows(2).any(|pair| {
        let word = pair[0].rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        is_listed(SCHEMES, word) && pair[1].starts_with(|c: char| !c.is_whitespace())
    })
}

/// An address that ends in a colon is that of a network, which no program opens, or a word such as `0:`
/// followed by a colon.
fn holds_ipv6(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_hexdigit() && c != ':' && c != '.').any(|word| {
        word.contains(|c: char| c.is_ascii_digit())
            && !word.ends_with(':')
            && word.parse::<Ipv6Addr>().is_ok()
    })
}

fn holds_host(text: &str) -> bool {
    let mut rest = text;
    while let Some(start) = rest.find(is_of_a_host) {
        rest = &rest[start..];
        let end = rest.find(|c| !is_of_a_host(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if is_host(word, opens_a_path(behind)) {
            return true;
        }
        rest = behind;
    }
    false
}

fn is_of_a_host(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_' || c == '@' || DOTS.contains(&c)
}

/// Whether the text begins with a slash, or with a colon and a port.
fn opens_a_path(behind: &str) -> bool {
    behind.starts_with('/')
        || behind.strip_prefix(':').is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether a word would be taken for a host. If a path follows, every ending makes it one, except a name
/// after initials or a title whose ending is no top-level domain, as in Dr.Lee/Anna.
fn is_host(word: &str, has_path: bool) -> bool {
    let word = word.trim_matches(DOTS);
    let host = match word.rsplit_once('@') {
        Some((_, host)) if has_path => host,
        Some(_) => return false,
        None => word,
    };
    let labels: Vec<&str> = host.split(DOTS).collect();
    let [before @ .., ending] = labels.as_slice() else { return false };
    if before.is_empty() || labels.iter().any(|label| label.is_empty()) {
        return false;
    }
    if is_ipv4(&labels) || is_listed(NEVER_SURNAMES, ending) || before[0].eq_ignore_ascii_case("www") {
        return true;
    }
    if ending.chars().all(char::is_numeric) {
        return false; // no top-level domain is a number: No.5, 4.5
    }
    let may_be_a_name = before.iter().all(|label| is_title(label)) && is_surname(ending);
    if is_top_level(ending) { has_path || !may_be_a_name } else { has_path && !may_be_a_name }
}

fn is_ipv4(labels: &[&str]) -> bool {
    labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok())
}

/// Whether a label is a top-level domain, in Unicode or ASCII. Every label that looks encoded counts.
fn is_top_level(label: &str) -> bool {
    label.starts_with("xn--") || idna::domain_to_ascii(label).is_ok_and(|ascii| tld::exist(&ascii))
}

fn is_title(word: &str) -> bool {
    word.chars().count() <= INITIALS_CHARS_MAX || is_listed(TITLES, word)
}

/// Whether a word may be a surname or initials: capitalised, or as short as a country's top-level domain.
fn is_surname(word: &str) -> bool {
    let mut letters = word.chars();
    let is_capitalised = letters.next().is_some_and(char::is_uppercase) && letters.all(char::is_lowercase);
    is_capitalised || word.chars().count() <= INITIALS_CHARS_MAX
}

fn is_listed(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|listed| listed.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_top_level_domains_is_recent() {
        let delegated_since_2024 = ["merck", "web"];
        let removed_in_2026 = ["helsinki", "juniper"];
        assert!(
            delegated_since_2024.into_iter().all(tld::exist) && !removed_in_2026.into_iter().any(tld::exist),
            "the crate `tld` holds an old list of top-level domains: run `cargo update -p tld`, and put \
             domains here that were delegated or removed since"
        );
    }

    #[test]
    fn names_with_full_stops_are_no_links() {
        for name in [
            "Ana",
            "St. Mary",
            "J.R. Smith",
            "J.R.Smith",
            "A.B.",
            "A.B./C.D.",
            "Dr.Lee",
            "Dr. Lee",
            "Dr.Lee/Anna",
            "Dr.No",
            "Is it Dr.No?",
            "J.Li",
            "j.li",
            "Prof.Li",
            "prof.li",
            "Anna M.Li",
            "Ph.D",
            "L.A.Cafe",
            "Mt.St.Helens",
            "Washington D.C.",
            "U.S.",
            "No.5",
            "Bar No.5/6",
            "24/7",
            "Dr. No",
            "J.R. Smith",
            "St. John",
            "J.Kim",
            "S.T.A.R.",
            "Hotel:Ana",
            "Motel: Ana",
            "Tel: at the door",
            "Ana & Ben: 7:30",
            "Ana::Ben",
            "Room 0:: ready",
            "6:30:15",
            "192.168.0",
            "4.5",
            "A.M./P.M.",
            "Smith, Jr.",
            "Joe's Pizza Co.",
            "T.G.I.Fridays",
            "Wait...what",
            "Pets .com",
            "Com",
            "www",
            "Awww. Cute",
            "モーニング娘。",
            "Anna/Ben",
            "ana@example.com",
            "Ma.de Jesús",
        ] {
            assert!(!is_in(name), "{name}");
        }
    }

    #[test]
    fn text_that_programs_turn_into_links_is_found() {
        for address in [
            "http://x",
            "see ftp://a.b",
            "www.x.y",
            "WWW.Example.Museum",
            "bit.ly/x",
            "Bit.Ly/x",
            "t.me/x",
            "example.com",
            "Example.Com",
            "EXAMPLE.COM",
            "Ana (example.com)",
            "Win at example.com, now",
            "example.com.",
            "example.com:8080",
            "my-shop.de",
            "EXAMPLE.CO.UK",
            "example.co.uk",
            "münchen.de",
            "example。com",
            "example．com",
            "j.com",
            "xn--a.xn--p1ai",
            "get.app",
            "Ana,win.io!",
            "x@bit.ly/x",
            "Win evil.lol/x",
            "evil.sbs/abc",
            "Evil.Sbs",
            "Win Evil.Click",
            "evil.not-yet-delegated/x",
            "evil.Unlisted/x",
            "evil.unlisted:8080/x",
            "evil.com./x",
            "x.zip",
            "X.Zip",
            "T.Me/x",
            "Mr.Ng/Mrs.Ng",
            "192.168.0.1",
            "192.168.0.1/x",
            "Ana (10.0.0.1)",
            "2001:db8::1",
            "[fe80::1]/x",
            "evil\u{2024}com",
            "ｅｖｉｌ．ｃｏｍ",
            "evil\u{200b}.com",
            "evil.c\u{ad}om",
            "http:\u{ff0f}/x",
            "例え.みんな",
            "mailto:ana@example.com",
            "Win MAILTO:ana",
            "tel:+19005550123",
            "sms:12345",
        ] {
            assert!(is_in(address), "{address}");
        }
    }
}
