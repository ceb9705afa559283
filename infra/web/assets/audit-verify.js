/** Verifies the hash chains of the account's streams, page by page. */

import { byId, element, replace, setText } from "./dom.js";
import { explain } from "./form.js";
import { historyLink } from "./audit-rows.js";
import { authorized } from "./session.js";

/** A page reads some 500 commits, so this is enough for millions. */
const PAGES_MAX = 10_000;

let running = false;

/**
 * Verifies all streams of the account, or a list with its visits.
 * @param {string | undefined} waitlist
 */
export async function verify(waitlist) {
  if (running) {
    running = false;
    return;
  }
  running = true;
  const button = byId("verify");
  const label = button.textContent ?? "";
  setText(button, "Stop");
  try {
    await pages(waitlist);
  } catch (error) {
    show("danger", element("p", {}, explain(error)));
  } finally {
    running = false;
    setText(button, label);
  }
}

/** @param {string | undefined} waitlist */
async function pages(waitlist) {
  let [streams, commits, cursor] = [0, 0, ""];
  const scope = waitlist ? `waitlist=${encodeURIComponent(waitlist)}` : "";
  for (let page = 0; page < PAGES_MAX && running; page += 1) {
    /** @type {{ body: Api.Verification }} */
    const { body } = await authorized("GET", `audit/verify?${scope}${cursor}`);
    streams += body.streams;
    commits += body.commits;
    const counted = `${commits.toLocaleString("en")} commits in ${streams.toLocaleString("en")} streams`;
    if (body.first_bad) return altered(body.first_bad);
    if (!body.next) return show("good", element("p", {}, `${counted} checked: by the hash chains, no event was altered, removed or added.`));
    show("", element("p", {}, `Checking… ${counted} so far.`));
    cursor = `${scope ? "&" : ""}cursor=${encodeURIComponent(body.next)}`;
  }
  show("", element("p", {}, "Stopped. The part that was checked has no altered event."));
}

/** @param {{ stream: string, seq: number, why: string }} bad */
function altered({ stream, seq, why }) {
  const link = historyLink(stream);
  show(
    "danger",
    element("p", {}, element("b", {}, `The history was altered after it was recorded: ${stream}, event ${seq}: ${why}.`)),
    element("p", {}, "Do not rely on that stream from this event on. The person who operates the server finds more by ", element("code", { class: "break" }, `waitlist verify --stream ${stream}`), ", and by a checkpoint or a backup."),
    link && element("p", {}, element("a", { href: link }, "See its history")),
  );
}

/**
 * @param {"" | "good" | "danger"} tone
 * @param {...import("./dom.js").Child} content
 */
function show(tone, ...content) {
  const place = byId("verified");
  place.hidden = false;
  place.className = `notice stack-tight ${tone}`;
  replace(place, ...content);
}
