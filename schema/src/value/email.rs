//! E-mail addresses in the form that SES takes: ASCII only, the domain in its ASCII form (RFC 5890,
//! A-labels).

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::{Email, Invalid, characters::is_blank};
use crate::described::described;

const BYTES_MAX: usize = 254; // RFC 5321, section 4.5.3.1.3, without the angle brackets
const LOCAL_BYTES_MAX: usize = 64;

impl Email {
    /// Reads an address and converts its domain to ASCII, so `ana@münchen.de` and `ana@xn--mnchen-3ya.de` are
    /// one address.
    ///
    /// # Errors
    /// The text is no address, or one that SES does not deliver to.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let (local, domain) = raw.trim().split_once('@').ok_or_else(no_address)?;
        if !local.is_ascii() && !domain.contains('@') {
            return Err(Invalid(
                "must have only ASCII letters, digits and signs before the @, as in ana@example.com; mail to \
                 other addresses cannot be sent"
                    .into(),
            ));
        }
        let domain = ascii_domain(domain).ok_or_else(no_address)?;
        if !is_dot_atom(local) || local.len() > LOCAL_BYTES_MAX {
            return Err(no_address());
        }
        let address = format!("{local}@{domain}");
        if address.len() > BYTES_MAX {
            return Err(no_address());
        }
        Ok(Self(address))
    }

    /// The form in which addresses are compared: capitals make no difference.
    #[must_use]
    pub fn normalised(&self) -> String {
        self.0.to_lowercase()
    }
}

described!(Email, {
    "description": "An e-mail address. A domain may also be sent in Unicode; it is kept and shown in its ASCII form, in lower case.",
    "type": "string",
    "format": "email",
    "maxLength": BYTES_MAX,
    "pattern": pattern(),
    "examples": ["ana@example.com"],
});

/// The addresses with a domain in its ASCII form. The bounds on the whole local part and the whole domain are
/// left to the parser.
fn pattern() -> String {
    const ATOM: &str = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]";
    const LABEL: &str = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    const LAST_LABEL: &str = "[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    format!("^{ATOM}{{1,{LOCAL_BYTES_MAX}}}(\\.{ATOM}+)*@({LABEL}\\.)+{LAST_LABEL}$")
}

fn no_address() -> Invalid {
    Invalid(format!("must be an e-mail address of at most {BYTES_MAX} characters, such as ana@example.com"))
}

/// Words joined by single dots: RFC 5321, section 4.1.2, Dot-string.
fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    })
}

/// The ASCII form of a domain. It has at least two labels, and the last is no number, as in an IP address.
fn ascii_domain(domain: &str) -> Option<String> {
    if domain.len() > 4 * BYTES_MAX || domain.chars().any(is_blank) {
        return None;
    }
    let checked = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    let ascii = checked.ok()?.into_owned();
    let (_, last) = ascii.rsplit_once('.')?;
    (!last.bytes().all(|byte| byte.is_ascii_digit())).then_some(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealed::Personal as _;

    #[test]
    fn an_address_is_a_local_part_an_at_sign_and_a_domain() {
        for address in ["ana@example.com", "a.n+a/b=c@mail.example.com", "o'brien@xn--mnchen-3ya.de"] {
            assert_eq!(Email::parse(address).unwrap().clear(), address);
        }
        for raw in [
            "ana",
            "@example.com",
            "ana@example",
            "ana@@example.com",
            "ana@b@example.com",
            "a na@example.com",
            "ana@.com",
            "ana@example.com.",
            "ana@-example.com",
            "ana@exa_mple.com",
            "ana@192.168.0.1",
            "ana@xn--a",
            "ana@xn--\u{e4}.com",
            "..@example.com",
            ".ana@example.com",
            "ana.@example.com",
            "an..a@example.com",
            "\"ana\"@example.com",
            "an\u{200b}a@example.com",
            "ana@\u{feff}example.com",
            "ana@exam\u{200d}ple.com",
            &format!("{}@example.com", "a".repeat(65)),
            &format!("{}@example.com", "a".repeat(250)),
            &format!("ana@{}.com", "a".repeat(64)),
            &format!("ana@{}com", "abcdefgh.".repeat(28)),
        ] {
            assert!(Email::parse(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_domain_is_converted_to_ascii() {
        let kept = Email::parse("ana@xn--mnchen-3ya.de").unwrap();
        for typed in [
            "ana@münchen.de",
            "ana@MÜNCHEN.de",
            "ana@mu\u{308}nchen.DE",
            "ana@münchen。de",
            "ana@ｍünchen．de",
        ] {
            assert!(Email::parse(typed).unwrap() == kept, "{typed}");
        }
        assert_eq!(Email::parse("Ana@Example.COM").unwrap().clear(), "Ana@example.com");
    }

    #[test]
    fn a_local_part_outside_ascii_is_refused_with_advice() {
        for raw in ["añа@example.com", "ana\u{301}@example.com", "用户@example.com"] {
            assert!(Email::parse(raw).unwrap_err().0.contains("only ASCII letters"), "{raw}");
        }
    }
}
