//! Whether a name holds what mail programs and telephones turn into a link. Names go into messages that we send, and strangers
//! choose them: whoever could put an address there could advertise under our name.
//!
//! People's names have full stops too, and some end like a host does: J.Li, Dr.No, Mrs.Ng. So only endings that are nobody's
//! name count by themselves; the others count where the rest does not look like initials or a title before a surname.

/// Endings that are nobody's name.
const PLAIN_ENDINGS: &str = "biz com edu gov info mil net org xyz";

/// Endings in use that could be a word or a name: the common generic ones, and all countries'.
const OTHER_ENDINGS: &str = "\
    app blog cafe chat click cloud club dev digital email fun group guru icu io life link live ltd menu mobi news online page pizza pro \
    restaurant shop site social space store tech today top travel vip website wiki work world zone \
    ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bv bw by bz ca cc cd cf cg ch ci ck \
    cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr \
    gs gt gu gw gy hk hm hn hr ht hu id ie il im in iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt \
    lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk \
    pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl \
    tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw";

/// What stands before a surname with a full stop; shorter ones are taken for initials or titles anyway.
const TITLES: &str = "capt frau herr hon miss mlle mme mrs prof rev sra srta sta";

/// The longest word that is taken for initials, or for a title such as Dr or St.
const INITIALS_CHARS_MAX: usize = 2;

/// Full stops, as domain names take them.
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// Whether something in this text would be taken for an address on the web. E-mail addresses are none.
#[must_use]
pub fn is_in(text: &str) -> bool {
    text.contains("://") || text.split_inclusive(|c| !is_of_a_host(c)).any(looks_like_one)
}

fn is_of_a_host(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_' || c == '@' || DOTS.contains(&c)
}

/// Looks at what could be a host with the character behind it: where that is a slash, a path begins.
fn looks_like_one(word: &str) -> bool {
    let has_path = word.ends_with('/');
    let word = word.trim_end_matches(|c| !is_of_a_host(c)).trim_matches(DOTS);
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
    if is_listed(PLAIN_ENDINGS, ending) || ending.starts_with("xn--") || before[0].eq_ignore_ascii_case("www")
    {
        return true;
    }
    let after_titles =
        before.iter().all(|label| label.chars().count() <= INITIALS_CHARS_MAX || is_listed(TITLES, label));
    let may_be_a_name = match (is_capitalised(ending), after_titles) {
        (true, true) => true,
        (true, false) | (false, true) => !has_path,
        (false, false) => false,
    };
    is_listed(OTHER_ENDINGS, ending) && !may_be_a_name
}

fn is_listed(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|listed| listed.eq_ignore_ascii_case(word))
}

/// Written as a surname is.
fn is_capitalised(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_uppercase) && letters.all(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_full_stops_are_no_addresses() {
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
            "Mr.Ng/Mrs.Ng",
            "Dr.No",
            "Is it Dr.No?",
            "J.Li",
            "j.li",
            "Prof.Li",
            "prof.li",
            "Anna M.Li",
            "M.Sc/PhD",
            "Ph.D",
            "L.A.Cafe",
            "Mt.St.Helens",
            "Washington D.C.",
            "U.S.",
            "No.5",
            "Bar No.5/6",
            "24/7",
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
    fn what_becomes_a_link_is_an_address() {
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
        ] {
            assert!(is_in(address), "{address}");
        }
    }
}
