/** A guest's own visit. The fragment is its token, which stands in no URL but that of the API's `public/visits`. */

import { Problem, newKey, rememberWrite, request } from "./api.js";
import { byId, setText } from "./dom.js";
import { JOINED } from "./join-once.js";
import { poll } from "./poll.js";
import { keep, recall } from "./storage.js";
import { explained, setListLanguage, stale, startTexts, texts, unread } from "./text.js";
import { countdown, until } from "./time.js";
import { wording } from "./visit-words.js";

const POLL_MS = 10_000;

/** A buzz for the guest whose table is ready, where the device can. */
const BUZZ_MS = [300, 150, 300, 150, 300];

const token = location.hash.slice(1);
const path = `public/visits/${encodeURIComponent(token)}`;
const ask = byId("ask", HTMLDialogElement);
const problem = byId("problem");

/** @type {Api.Visit | null} */
let visit = null;

/** @type {string | null} */
let etag = null;

/** Why there is no visit to show: "unknown" if there is none, or none any more. @type {"unknown" | "error" | null} */
let missing = null;

/** @type {unknown} */
let failure = null;

let busy = false;

function show() {
  const words = wording(visit);
  const [title, lead] =
    missing === "unknown"
      ? [texts().unknownVisitTitle, texts().unknownVisit]
      : visit
        ? [words.title, words.lead]
        : [texts().moment, missing ? unread(failure) : ""];
  setText(byId("heading"), title);
  setText(byId("lead"), lead);
  setText(byId("place"), visit?.waitlist.name ?? "");
  document.title = visit ? `${title} · ${visit.waitlist.name}` : title;
  document.body.dataset.state = visit?.state ?? "";
  setText(byId("position"), words.position);
  byId("figure").hidden = words.position === "";
  const leftMs = visit?.state === "called" && visit.hold_until ? until(visit.hold_until) : 0;
  byId("timer").hidden = leftMs <= 0;
  setText(byId("left"), countdown(leftMs));
  setText(byId("party"), words.party);
  byId("about").hidden = words.party === "";
  byId("coming").hidden = visit?.state !== "called";
  byId("leave").hidden = !visit || !["waiting", "called", "confirmed"].includes(visit.state);
  const again = byId("join-again", HTMLAnchorElement);
  again.hidden = !visit || !["left", "no-show"].includes(visit.state);
  if (visit) again.href = `join#${visit.waitlist.id}`;
  else again.removeAttribute("href");
}

async function read() {
  try {
    const answer = await request("GET", path, { ifNoneMatch: etag });
    if (answer.status !== 304) take(answer.body, answer.etag);
    missing = null;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return gone();
    if (!visit) [missing, failure] = ["error", error];
    show();
    throw error;
  }
  setListLanguage(visit?.waitlist.language ?? null);
  show();
}

/**
 * @param {Api.Visit} read
 * @param {string | null} tag
 */
function take(read, tag) {
  const called = read.state === "called" && visit !== null && visit.state !== "called";
  if (called && navigator.userActivation?.hasBeenActive) navigator.vibrate?.(BUZZ_MS);
  if (read.state !== visit?.state) ask.close();
  [visit, etag] = [read, tag];
}

/** Shows the same for a visit that was erased as for one that never was. */
function gone() {
  [visit, missing] = [null, "unknown"];
  polling?.stop();
  clearInterval(clock);
  ask.close();
  say("");
  byId("earlier").hidden = true;
  setListLanguage(null);
  show();
}

/** @param {string} text */
function say(text) {
  problem.hidden = text === "";
  setText(problem, text);
}

/**
 * Sends a command of the guest, and reads what became of it.
 * @param {"confirm" | "leave"} command
 */
async function act(command) {
  if (busy) return;
  busy = true;
  document.body.setAttribute("aria-busy", "true");
  say("");
  try {
    await request("POST", `${path}/${command}`, { body: {}, key: newKey() });
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return gone();
    const changed = error instanceof Problem && error.slug === "invalid-transition";
    say(changed ? texts().changed : explained(error));
  } finally {
    busy = false;
    document.body.removeAttribute("aria-busy");
  }
  await polling?.now();
  // The button that had the focus may be gone.
  if (document.activeElement === document.body) byId("heading").focus();
}

/** Takes over the Sync-Token that the join page left, because rows may not show the visit yet, and shows the note on an earlier join. */
function arrive() {
  const joined = recall("sessionStorage", JOINED);
  if (joined?.token !== token) return;
  keep("sessionStorage", JOINED, null);
  rememberWrite(joined.sync);
  byId("earlier").hidden = !joined.earlier;
}

byId("coming").addEventListener("click", () => void act("confirm"));
byId("leave").addEventListener("click", () => ask.showModal());
byId("stay").addEventListener("click", () => ask.close());
byId("leave-now").addEventListener("click", () => {
  ask.close();
  void act("leave");
});
window.addEventListener("hashchange", () => location.reload());

startTexts(show);
arrive();

/** Quotes and holds run down between two readings. */
const clock = setInterval(show, 1000);

/** @type {ReturnType<typeof poll> | null} */
let polling = null;
if (token) polling = poll(read, { everyMs: POLL_MS, banner: byId("banner"), text: stale, refused: () => {} });
else gone();
