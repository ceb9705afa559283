//! Conditional requests: `If-Match` and `If-None-Match` (RFC 9110, section 13.1).
//!
//! A write answers the ETag `"7"`, the number of the stream's last event; a read answers `"7.<hash of the
//! body>"`. A write accepts both and compares only the number.

use data_encoding::HEXLOWER;
use http::{HeaderMap, HeaderName, header};
use schema::{Problem, Slug, check::whole_number, commit::Tag};

use crate::log::{Expect, States};

/// The two headers of one request.
pub(super) struct Conditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

enum Tags {
    /// `*`
    Any,
    Listed(Vec<EntityTag>),
}

struct EntityTag {
    is_weak: bool,
    /// The text between the quotes.
    opaque: String,
}

impl Conditions {
    /// # Errors
    /// A header is neither `*` nor a list of ETags.
    pub(super) fn of_write(headers: &HeaderMap) -> Result<Self, Problem> {
        Ok(Self {
            if_match: tags(headers, header::IF_MATCH, "If-Match")?,
            if_none_match: tags(headers, header::IF_NONE_MATCH, "If-None-Match")?,
        })
    }

    /// The states of the stream that the two headers name. `If-Match` compares strongly, so weak tags never
    /// match.
    pub(super) fn of_stream(self) -> Expect {
        Expect {
            any_of: self.if_match.map(|tags| tags.states(|tag| !tag.is_weak)),
            none_of: self.if_none_match.map(|tags| tags.states(|_| true)),
        }
    }

    /// # Errors
    /// `If-Match` lists ETags: a new thing has no earlier state.
    pub(super) fn of_new(self) -> Result<Expect, Problem> {
        match self.if_match {
            None | Some(Tags::Any) => Ok(Self { if_match: None, ..self }.of_stream()),
            Some(Tags::Listed(_)) => Err(failed("If-Match takes only * where something new is created.")),
        }
    }
}

/// Returns whether the reader already has the body with this ETag (304), unless `If-Match` forbids the answer.
///
/// # Errors
/// `If-Match` is malformed, or names none of the current ETags (412).
pub(super) fn judge_read(headers: &HeaderMap, etag: &str) -> Result<bool, Problem> {
    let current = etag.trim_matches('"');
    // The ETag of a write names the state as well.
    let is_state =
        |tag: &EntityTag| whole_number(&tag.opaque).is_some() && number(current) == number(&tag.opaque);
    match tags(headers, header::IF_MATCH, "If-Match")? {
        Some(Tags::Listed(tags))
            if !tags.iter().any(|tag| !tag.is_weak && (tag.opaque == current || is_state(tag))) =>
        {
            return Err(failed(format!("If-Match names another state; the current ETag is {etag}.")));
        }
        None | Some(Tags::Any | Tags::Listed(_)) => {}
    }
    Ok(has_body(headers, etag))
}

/// Whether `If-None-Match` names this ETag. It compares weakly, and is ignored when it is malformed.
#[must_use]
pub fn has_body(headers: &HeaderMap, etag: &str) -> bool {
    let current = etag.trim_matches('"');
    match tags(headers, header::IF_NONE_MATCH, "If-None-Match") {
        Ok(Some(Tags::Any)) => true,
        Ok(Some(Tags::Listed(tags))) => tags.iter().any(|tag| tag.opaque == current),
        Ok(None) | Err(_) => false,
    }
}

impl Tags {
    fn states(self, counts: impl Fn(&EntityTag) -> bool) -> States {
        match self {
            Self::Any => States::Any,
            Self::Listed(tags) => States::At(
                tags.iter().filter(|tag| counts(tag)).filter_map(|tag| number(&tag.opaque)).collect(),
            ),
        }
    }

    /// Parses `*` or a list. Empty elements are allowed (RFC 9110, section 5.6.1).
    fn parse(text: &str) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self::Any);
        }
        let (mut tags, mut rest) = (Vec::new(), text);
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                break;
            }
            let (is_weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |quoted| (true, quoted));
            let (opaque, behind) = quoted.strip_prefix('"')?.split_once('"')?;
            rest = behind.trim_start_matches([' ', '\t']);
            if !opaque.bytes().all(|byte| byte.is_ascii_graphic())
                || !(rest.is_empty() || rest.starts_with(','))
            {
                return None;
            }
            tags.push(EntityTag { is_weak, opaque: opaque.to_owned() });
        }
        (!tags.is_empty()).then_some(Self::Listed(tags))
    }
}

/// Parses a header, which may be repeated.
fn tags(headers: &HeaderMap, name: HeaderName, shown: &str) -> Result<Option<Tags>, Problem> {
    let lines: Vec<&str> =
        headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("not ASCII")).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let invalid = || {
        Problem::invalid_header(shown, "must be * or a list of ETags as they were answered, such as \"7\"")
    };
    Tags::parse(&lines.join(",")).map(Some).ok_or_else(invalid)
}

/// Returns the event number in an ETag of ours; `None` for any other tag.
fn number(opaque: &str) -> Option<u64> {
    let (number, hash) = opaque.split_once('.').map_or((opaque, None), |(number, hash)| (number, Some(hash)));
    let is_ours = hash.is_none_or(|hash| {
        HEXLOWER.decode(hash.as_bytes()).is_ok_and(|bytes| bytes.len() == size_of::<Tag>())
    });
    whole_number(number).filter(|_| is_ours)
}

fn failed(detail: impl Into<String>) -> Problem {
    Problem::new(Slug::PreconditionFailed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = "\"7.0123456789abcdef0123456789abcdef\"";

    fn headers(name: HeaderName, lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), line.parse().unwrap())).collect()
    }

    fn named(lines: &[&str]) -> Expect {
        Conditions::of_write(&headers(header::IF_MATCH, lines)).unwrap().of_stream()
    }

    #[test]
    fn a_list_of_tags_names_the_states_that_a_write_accepts() {
        let at = |seqs: &[u64]| Expect { any_of: Some(States::At(seqs.to_vec())), none_of: None };
        assert_eq!(named(&["*"]), Expect { any_of: Some(States::Any), none_of: None });
        assert_eq!(named(&["\"7\""]), at(&[7]));
        assert_eq!(named(&[READ]), at(&[7]), "only the number of a read's ETag counts");
        assert_eq!(named(&["\"1\", \"7\""]), at(&[1, 7]));
        assert_eq!(named(&[" , \"1\",,\t\"7\" ,", "\"9\""]), at(&[1, 7, 9]));
        assert_eq!(named(&["\"a,b\", W/\"7\", \"\", \"-1\", \"+1\", \"01\", \"7.x\", \"seven\""]), at(&[]));
        assert_eq!(Conditions::of_write(&HeaderMap::new()).unwrap().of_stream(), Expect::default());
        let weak = headers(header::IF_NONE_MATCH, &["W/\"7\", \"x\""]);
        let none_of = Conditions::of_write(&weak).unwrap().of_stream().none_of;
        assert_eq!(none_of, Some(States::At(vec![7])), "compared weakly");
    }

    #[test]
    fn a_malformed_header_is_refused() {
        for wrong in ["", "7", "\"7", "7\"", "*, \"7\"", "w/\"7\"", "\"7\" \"8\"", "\"7 8\"", "W/7", ","] {
            let conditions = Conditions::of_write(&headers(header::IF_MATCH, &[wrong]));
            assert!(conditions.is_err_and(|problem| problem.slug == Slug::InvalidParameter), "{wrong}");
        }
    }

    #[test]
    fn a_read_is_judged_by_both_headers() {
        let judge =
            |name, line: &str| judge_read(&headers(name, &[line]), READ).map_err(|problem| problem.slug);
        for holds in ["*", READ, "\"7\"", &format!("\"1\", {READ}")] {
            assert_eq!(judge(header::IF_MATCH, holds), Ok(false), "{holds}");
        }
        let other_body = "\"7.00000000000000000000000000000000\"";
        for fails in ["\"6\"", "\"x\"", &format!("W/{READ}"), other_body] {
            assert_eq!(judge(header::IF_MATCH, fails), Err(Slug::PreconditionFailed), "{fails}");
        }
        assert_eq!(judge(header::IF_MATCH, "7"), Err(Slug::InvalidParameter));
        for known in ["*", READ, &format!("W/{READ}"), &format!("\"x,y\", {READ}")] {
            assert_eq!(judge(header::IF_NONE_MATCH, known), Ok(true), "{known}");
        }
        for unknown in ["\"7\"", "\"x\"", other_body, "7"] {
            assert_eq!(judge(header::IF_NONE_MATCH, unknown), Ok(false), "{unknown}");
        }
    }

    #[test]
    fn a_creation_accepts_the_star_but_no_listed_state() {
        let of_new = |line: &str| {
            Conditions::of_write(&headers(header::IF_MATCH, &[line]))
                .unwrap()
                .of_new()
                .map_err(|problem| problem.slug)
        };
        assert_eq!(of_new("*"), Ok(Expect::default()));
        assert_eq!(of_new("\"7\""), Err(Slug::PreconditionFailed));
    }
}
