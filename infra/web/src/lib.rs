//! Serves the web front end: pages, and the files that they load.
//!
//! Pages are plain HTML, CSS and ES modules, and use the public HTTP API alone. Their files load from a path that
//! contains a hash of all of them, so browsers may keep them for a year. A page that was loaded before a deployment gets
//! the new release's files from the old path, and browsers do not keep these.

pub mod files;

use std::sync::LazyLock;

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use infra::http::has_body;
use schema::page::PAGES;
use sha2::{Digest as _, Sha256};

use self::files::{ASSETS, File};

/// Scripts, styles, images and requests are allowed from the page's own origin, and nothing else. `trusted-types`
/// keeps scripts from making markup out of text.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// A browser keeps an asset for a year, the longest time of use (RFC 9111 does not bound it).
const KEPT: &str = "public, max-age=31536000, immutable";
/// A browser asks each time whether its page is current.
const REVALIDATED: &str = "no-cache";

const ASSETS_PATH: &str = "/assets/";
/// How HTML files name the folder of assets. Relative, because a deployment may have a base path.
const ASSETS_IN_HTML: &str = "\"assets/";

/// The characters of the version in paths: 72 bits of the hash.
const VERSION_CHARS: usize = 12;

/// The version of all files: a hash of their names and texts.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for File { name, text } in files::PAGES.iter().chain(ASSETS) {
        hash.update(name.len().to_be_bytes());
        hash.update(name);
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    }
    let mut version = BASE64URL_NOPAD.encode(&hash.finalize());
    version.truncate(VERSION_CHARS);
    version
});

/// Each page's path and HTML, with the version in the paths of its assets.
static SERVED: LazyLock<Vec<(String, Bytes)>> = LazyLock::new(|| {
    let versioned = format!("{ASSETS_IN_HTML}{}/", *VERSION);
    let html = |name: &str| {
        let file = files::PAGES.iter().find(|file| file.name.strip_suffix(".html") == Some(name))?;
        Some(Bytes::from(file.text.replace(ASSETS_IN_HTML, &versioned)))
    };
    PAGES.iter().filter_map(|page| Some((page.path(), html(page.name())?))).collect()
});

/// Whether a request asks for a page or for a file that pages load.
#[must_use]
pub fn is_page(method: &str, path: &str) -> bool {
    matches!(method, "GET" | "HEAD")
        && (path.starts_with(ASSETS_PATH) || SERVED.iter().any(|(served, _)| served == path))
}

/// Answers a request for a page or an asset.
#[must_use]
pub fn answer(method: &str, path: &str, headers: &HeaderMap) -> Response<Bytes> {
    let mut response = match path.strip_prefix(ASSETS_PATH) {
        Some(asset) => of_asset(asset),
        None => of_page(path, headers),
    };
    let found = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        found.insert(name, HeaderValue::from_static(value));
    }
    if method == "HEAD" {
        let bytes = response.body().len();
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
        *response.body_mut() = Bytes::new();
    }
    response
}

fn of_page(path: &str, headers: &HeaderMap) -> Response<Bytes> {
    let Some((_, html)) = SERVED.iter().find(|(served, _)| served == path) else { return missing() };
    let tag = format!("\"{}\"", *VERSION);
    let is_current = has_body(headers, &tag);
    let mut response =
        with("text/html; charset=utf-8", REVALIDATED, if is_current { Bytes::new() } else { html.clone() });
    if is_current {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// `asset` is the version and the file's name. A page of another release gets this release's file, which browsers must
/// not keep under the other version.
fn of_asset(asset: &str) -> Response<Bytes> {
    let Some((version, name)) = asset.split_once('/') else { return missing() };
    let Some(file) = ASSETS.iter().find(|file| file.name == name) else { return missing() };
    let kept = if version == *VERSION { KEPT } else { "no-store" };
    with(media_type(file.name), kept, Bytes::from_static(file.text.as_bytes()))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

fn with(media_type: &'static str, cache: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn missing() -> Response<Bytes> {
    let mut response =
        with("text/plain; charset=utf-8", "no-store", Bytes::from_static(b"There is no such file.\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use schema::value::Language;

    use super::*;

    fn get(path: &str) -> Response<Bytes> {
        answer("GET", path, &HeaderMap::new())
    }

    fn header(response: &Response<Bytes>, name: header::HeaderName) -> &str {
        response.headers()[name].to_str().unwrap()
    }

    #[test]
    fn every_file_of_the_folders_is_compiled_in() {
        let folder = |name: &str| -> BTreeSet<String> {
            fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        };
        let names =
            |files: &[File]| -> BTreeSet<String> { files.iter().map(|file| file.name.to_owned()).collect() };
        assert_eq!(names(files::PAGES), folder("pages"));
        assert_eq!(names(ASSETS), folder("assets"));
        let pages: BTreeSet<String> = PAGES.iter().map(|page| format!("{}.html", page.name())).collect();
        assert_eq!(names(files::PAGES), pages);
    }

    #[test]
    fn every_asset_that_a_page_names_is_served_and_may_be_kept() {
        for page in PAGES {
            let response = get(&page.path());
            assert_eq!(response.status(), StatusCode::OK, "{page:?}");
            assert_eq!(header(&response, header::CACHE_CONTROL), "no-cache");
            let html = str::from_utf8(response.body()).unwrap();
            let named: Vec<&str> =
                html.split("\"assets/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
            assert!(!named.is_empty(), "{page:?}");
            for asset in named {
                let response = get(&format!("/assets/{asset}"));
                assert_eq!(response.status(), StatusCode::OK, "{page:?}: {asset}");
                assert_eq!(header(&response, header::CACHE_CONTROL), KEPT, "{page:?}: {asset}");
            }
        }
    }

    #[test]
    fn a_module_imports_only_files_that_are_served() {
        for file in ASSETS.iter().filter(|file| media_type(file.name).starts_with("text/javascript")) {
            for import in file.text.split("from \"./").skip(1) {
                let name = import.split('"').next().unwrap();
                assert!(ASSETS.iter().any(|asset| asset.name == name), "{} imports {name}", file.name);
            }
        }
    }

    #[test]
    fn every_language_has_the_same_texts() {
        let names = |language: &str| -> Vec<&str> {
            let file = ASSETS.iter().find(|file| file.name == format!("text.{language}.js")).unwrap();
            let lines = file.text.lines().filter_map(|line| line.strip_prefix("  "));
            let names = lines.filter_map(|line| Some(line.split_once(':')?.0));
            names.filter(|name| name.chars().all(char::is_alphanumeric)).collect()
        };
        let english = names("en");
        assert!(english.contains(&"joinTitle"), "{english:?}");
        for language in Language::ALL {
            assert_eq!(names(&language.to_string()), english, "{language}");
        }
        for File { name, text } in files::PAGES {
            for asked in text
                .split("data-text=\"")
                .chain(text.split("data-label=\""))
                .filter(|rest| !rest.starts_with('<'))
            {
                let asked = asked.split('"').next().unwrap();
                assert!(english.contains(&asked), "{name} shows {asked}");
            }
        }
    }

    #[test]
    fn a_file_of_another_release_is_not_kept_and_an_unknown_one_is_missing() {
        let old = get("/assets/another/styles.css");
        assert_eq!((old.status(), header(&old, header::CACHE_CONTROL)), (StatusCode::OK, "no-store"));
        for path in
            ["/assets/", "/assets/styles.css", "/assets/x/../styles.css", "/assets/x/none.js", "/none"]
        {
            assert_eq!(get(path).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn a_page_that_the_browser_has_is_not_sent_again() {
        let etag = header(&get("/join"), header::ETAG).to_owned();
        for tags in [etag.clone(), format!("\"other\", W/{etag}"), "*".to_owned()] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, tags.parse().unwrap())]);
            let response = answer("GET", "/join", &headers);
            assert_eq!((response.status(), response.body().len()), (StatusCode::NOT_MODIFIED, 0));
            assert_eq!(header(&response, header::ETAG), etag);
        }
    }

    #[test]
    fn head_answers_as_get_without_the_body() {
        let (get, head) = (get("/"), answer("HEAD", "/", &HeaderMap::new()));
        assert_eq!(head.headers()[header::CONTENT_LENGTH], get.body().len().to_string());
        assert!(head.body().is_empty());
        assert!(is_page("HEAD", "/join") && !is_page("POST", "/join") && !is_page("GET", "/joined"));
    }

    #[test]
    fn no_page_contains_a_script_style_or_handler_of_its_own() {
        for File { name, text } in files::PAGES {
            for forbidden in [
                "<style",
                " style=",
                " onclick=",
                " onsubmit=",
                "<script>",
                "javascript:",
                "http://",
                "https://",
            ] {
                assert!(!text.contains(forbidden), "{name} contains {forbidden}");
            }
        }
        for File { name, text } in ASSETS {
            for forbidden in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
            {
                assert!(!text.contains(forbidden), "{name} contains {forbidden}");
            }
        }
    }
}
