//! A full board.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::evening::{Evening, button, more};

const PARTIES: usize = 400;

/// The longest time from a tap to its effect on the page. An idle machine needs a tenth of it; other tests run beside this one.
const RESPONSE_MAX: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_board_of_400_parties_stays_responsive_and_keeps_focus_and_scroll() {
    let Some(evening) = Evening::new().await else { return };
    evening.send("PATCH", &format!("/v1/waitlists/{}", evening.list), json!({ "capacity": 400 })).await;
    stream::iter(0..PARTIES)
        .map(|number| evening.add(json!({ "name": format!("Party {number}"), "party_size": number % 8 + 1 })))
        .buffer_unordered(8)
        .for_each(async |_| ())
        .await;
    let browser = &evening.scene.browser;
    evening.board(browser).await;
    let rows = "return document.querySelectorAll('.party').length";
    let all = async || (browser.run(rows, Vec::new()).await == PARTIES).then_some(());
    browser.until(all).await.expect("the board shows all parties");
    let ids =
        "return [...document.querySelectorAll('.party .more')].slice(0, 4).map((more) => more.id.slice(5))";
    let first: Vec<String> = serde_json::from_value(browser.run(ids, Vec::new()).await).unwrap();

    let scroll = "document.querySelectorAll('.party')[199].scrollIntoView({ block: 'center' })";
    browser.run(scroll, Vec::new()).await;
    let begun = Instant::now();
    more(browser, 200).await;
    browser.shown(&button(200, "edit")).await;
    assert!(begun.elapsed() < RESPONSE_MAX, "further buttons took {:?}", begun.elapsed());

    // The longest task of the page, from its first drawing to polls that bring changes; a click waits at most as long.
    let watch = "window.longest = 0; new PerformanceObserver((list) => { \
        for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration); \
        }).observe({ type: 'longtask', buffered: true })";
    browser.run(watch, Vec::new()).await;
    let place = "const row = document.querySelectorAll('.party')[arguments[0]]; \
        return [row.contains(document.activeElement), Math.round(row.getBoundingClientRect().top), \
            row.querySelector('h2').textContent]";
    let before = browser.run(place, vec![json!(199)]).await;
    assert_eq!(before[0], true, "the row has the focus");
    for party in &first[..3] {
        evening.send("POST", &format!("/v1/waitees/{party}/seat"), json!({})).await;
    }
    let fewer = async || (browser.run(rows, Vec::new()).await == PARTIES - 3).then_some(());
    browser.until(fewer).await.expect("the board shows what another device did");
    let after = browser.run(place, vec![json!(196)]).await;
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]), "the focus stays in its row");
    let moved = after[1].as_i64().unwrap() - before[1].as_i64().unwrap();
    assert!(moved.abs() <= 4, "the row moved by {moved} px under the finger");
    let longest = browser.run("return window.longest", Vec::new()).await.as_f64().unwrap();
    println!("the longest task took {longest:.0} ms");
    assert!(longest < 1000.0 * RESPONSE_MAX.as_secs_f64(), "a task took {longest} ms");

    // Half-typed text survives polls, too.
    browser.click(&button(197, "edit")).await;
    browser.fill("#party-note", "A table by the").await;
    evening.send("POST", &format!("/v1/waitees/{}/seat", first[3]), json!({})).await;
    let fewer = async || (browser.run(rows, Vec::new()).await == PARTIES - 4).then_some(());
    browser.until(fewer).await.expect("the board shows what another device did");
    let typed = browser.run("return document.activeElement.value", Vec::new()).await;
    assert_eq!(typed, Value::from("A table by the"));
    evening.scene.end().await;
}
