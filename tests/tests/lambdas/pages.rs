//! The lambda of the pages. It has no settings and no permissions.

use schema::page::PAGES;
use waitlist_tests::{events::HttpRequest, runtime_api::Function};

use super::deployment::accepted;

#[tokio::test]
async fn pages_and_their_files_are_served_without_any_setting() {
    let pages = Function::start(&waitlist_tests::binaries::built("pages"), &[]);
    for page in PAGES {
        let answer = accepted(&pages.invoke(HttpRequest::new("GET", &page.path()).event()).await.unwrap());
        assert_eq!(answer.status, 200, "{page:?}");
        assert_eq!(answer.headers["content-security-policy"], web::CONTENT_SECURITY_POLICY);
        let html = answer.body.as_str().unwrap_or_default();
        let (_, styles) = html.split_once("href=\"assets/").expect("a page has an icon or styles");
        let asset = format!("/assets/{}", styles.split('"').next().unwrap());
        let asset = accepted(&pages.invoke(HttpRequest::new("GET", &asset).event()).await.unwrap());
        assert_eq!(
            (asset.status, &*asset.headers["cache-control"]),
            (200, "public, max-age=31536000, immutable")
        );
    }
    pages.stop().await;
}
