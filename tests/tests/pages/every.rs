//! Checks of every page: accessibility, size, headers.

use http::header;
use schema::page::{PAGES, Page};

use super::scene::Scene;

/// Whether a page leads to the sign-in without a session.
fn needs_session(page: Page) -> bool {
    match page {
        Page::History | Page::Audit | Page::Replay | Page::Operator => true,
        Page::Home | Page::Board | Page::Join | Page::Visit | Page::Confirm | Page::Reset => false,
    }
}

/// The most bytes of a page and of all files that it loads at first, uncompressed.
const BYTES_MAX: u64 = 100 * 1024;

#[tokio::test]
async fn a_page_is_accessible_fits_a_small_screen_and_loads_little() {
    let Some(scene) = Scene::new().await else { return };
    let mut is_signed_in = false;
    for page in PAGES {
        if needs_session(page) && !is_signed_in {
            scene.signed_in().await;
            is_signed_in = true;
        }
        for (width, height) in [(320, 640), (1280, 800)] {
            scene.browser.resize(width, height).await;
            scene.browser.visit(&page.path()).await;
            scene.browser.shown("h1").await;
            scene.browser.assert_accessible(&format!("{} at {width} px", page.path())).await;
        }
        let script = "return performance.getEntries().filter((entry) => entry.encodedBodySize)\
            .reduce((bytes, entry) => bytes + entry.encodedBodySize, 0)";
        let bytes = scene.browser.run(script, Vec::new()).await.as_u64().unwrap();
        assert!((1..BYTES_MAX).contains(&bytes), "{} loads {bytes} bytes", page.path());
    }
    scene.end().await;
}

#[tokio::test]
async fn a_page_states_its_policies_and_the_clock_of_the_server() {
    let Some(scene) = Scene::new().await else { return };
    for page in PAGES {
        let answer = reqwest::get(format!("{}{}", scene.server.url, page.path())).await.unwrap();
        let header = |name: header::HeaderName| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header(header::CONTENT_SECURITY_POLICY), web::CONTENT_SECURITY_POLICY);
        assert_eq!(header(header::REFERRER_POLICY), "no-referrer");
        assert!(header(header::DATE).ends_with(" GMT"));
    }
    scene.end().await;
}
