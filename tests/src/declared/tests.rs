use proptest::{prelude::*, string::string_regex};
use schema::{
    sealed::Personal as _,
    value::{DayStart, Email, Invalid, ListName, Name, Note, Password, Reason, Region, Zone},
};

use super::*;

#[test]
fn the_examples_of_answers_fit_their_schemas() {
    for (asked, Declaration { response, schema }) in &DECLARED.answers {
        let Some(media) = response["content"].as_object().and_then(|content| content.values().next()) else {
            continue;
        };
        let named = media["examples"].as_object().into_iter().flat_map(Map::values);
        let examples: Vec<&Value> =
            media.get("example").into_iter().chain(named.map(|example| &example["value"])).collect();
        assert!(!examples.is_empty(), "{asked} has no example");
        for example in examples {
            let judged = DECLARED.schemas.validate(example, schema.unwrap());
            assert!(judged.is_ok(), "{asked}: {example} {:#}", judged.unwrap_err());
        }
    }
}

/// The cause for which an answer to GET /v1/waitlists/{id} is not declared.
fn refusal(status: u16, headers: &[(&str, &str)], body: &Value) -> Option<String> {
    let kind = if status < 400 { "application/json" } else { "application/problem+json" };
    let headers = [&[("Content-Type", kind)], headers].concat();
    let header =
        |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    let asserted = || assert_declared("GET", "/v1/waitlists/abc", status, header, body);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(asserted)).err()?;
    panic.downcast_ref::<String>().cloned()
}

#[test]
fn an_answer_that_is_not_declared_is_found() {
    let path = &DECLARED.answers["GET /v1/waitlists/{id} 200"];
    let list = &path.response["content"]["application/json"]["example"];
    let usual = [("ETag", "\"1\""), ("X-Request-Id", "x")];
    assert_eq!(refusal(200, &usual, list), None);
    let more = |field: &str, value: Value| {
        let mut body = list.clone();
        body[field] = value;
        body
    };
    let fewer = {
        let mut body = list.clone();
        body.as_object_mut().unwrap().remove("active");
        body
    };
    let full = schema::Problem::new(schema::Slug::WaitlistFull, "").to_json("x");
    for (status, headers, body, cause) in [
        (203, &usual as &[_], list, "does not declare the answer"),
        (200, &usual[..1], list, "X-Request-Id in the answer"),
        (200, &[usual[0], usual[1], ("Location", "/")], list, "Location in the answer"),
        (200, &usual, &more("colour", json!(1)), "does not fit its schema"),
        (200, &usual, &more("capacity", json!(401)), "does not fit its schema"),
        (200, &usual, &fewer, "does not fit its schema"),
        (404, &usual[1..], &full, "does not declare this problem"),
        (503, &usual[1..], &full, "has no Retry-After"),
    ] {
        let found = refusal(status, headers, body);
        assert!(found.as_ref().is_some_and(|found| found.contains(cause)), "{cause}: {found:?}");
    }
}

/// The schemas of texts, by name, with their parsers. A parser returns the text that answers show.
type Parser = fn(&str) -> Result<String, Invalid>;

const TEXTS: [(&str, Parser); 7] = [
    ("Name", |raw| Name::parse(raw).map(|name| name.clear().to_owned())),
    ("ListName", |raw| raw.parse::<ListName>().map(|name| name.to_string())),
    ("Note", |raw| Note::parse(raw).map(|note| note.clear().to_owned())),
    ("Reason", |raw| Reason::parse(raw).map(|reason| reason.clear().to_owned())),
    ("Email", |raw| Email::parse(raw).map(|email| email.clear().to_owned())),
    ("Password", |raw| Password::parse(raw).map(|password| password.clear().to_owned())),
    ("DayStart", |raw| raw.parse::<DayStart>().map(|start| start.to_string())),
];

fn declared(name: &str) -> Value {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    document["components"]["schemas"][name].clone()
}

/// Texts that match the pattern of a schema.
fn matching(name: &str) -> BoxedStrategy<String> {
    let schema = declared(name);
    let pattern = schema["pattern"].as_str().unwrap().trim_start_matches('^').trim_end_matches('$');
    string_regex(pattern).unwrap().boxed()
}

/// Refusals that no pattern can express: links in names, domains that are not registrable names, letters that become
/// fewer in form NFC, and invisible characters after U+FFFF, which patterns do not list.
fn is_beyond_patterns(name: &str, raw: &str, invalid: &Invalid) -> bool {
    if invalid.0.contains("invisible") && raw.chars().any(|c| c > '\u{ffff}') {
        return true;
    }
    match name {
        "Name" | "ListName" => invalid.0.contains("web address") || invalid.0.contains("encoded word"),
        "Email" => raw.contains("xn--") || raw.split('@').any(|part| part.len() > 64),
        "Password" => !raw.is_ascii(),
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_text_that_fits_its_schema_is_accepted((at, raw) in (0..TEXTS.len()).prop_flat_map(|at| (Just(at), matching(TEXTS[at].0)))) {
        let (name, parse) = TEXTS[at];
        prop_assume!(fits(name, &json!(raw)));
        if let Err(invalid) = parse(&raw) {
            prop_assert!(is_beyond_patterns(name, &raw, &invalid), "{name} {raw:?}: {invalid}");
        }
    }

    #[test]
    fn a_text_that_is_accepted_is_shown_as_its_schema_says(
        at in 0..TEXTS.len(),
        raw in prop_oneof!["\\PC{0,120}", "[ -~]{1,30}", "[a-zA-Z.+-]{1,12}@[a-zé.-]{1,20}", "[0-9:]{5}"],
    ) {
        let (name, parse) = TEXTS[at];
        if let Ok(shown) = parse(&raw) {
            prop_assert!(fits(name, &json!(shown)), "{name} {raw:?} is shown as {shown:?}");
        }
    }
}

#[test]
fn every_listed_zone_and_region_is_accepted() {
    let words = |name: &str| declared(name)["enum"].as_array().unwrap().clone();
    let (zones, regions) = (words("Zone"), words("Region"));
    assert!(zones.len() > 400 && regions.len() > 240, "{} zones, {} regions", zones.len(), regions.len());
    assert!(zones.iter().all(|zone| zone.as_str().unwrap().parse::<Zone>().is_ok()));
    assert!(regions.iter().all(|region| region.as_str().unwrap().parse::<Region>().is_ok()));
}
