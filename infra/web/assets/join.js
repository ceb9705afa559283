/** Joining a list. The fragment is the list's id. */

import { Problem, request } from "./api.js";
import { byId, setText } from "./dom.js";
import { clearProblems, onSubmit } from "./form.js";
import { joining } from "./join-once.js";
import { poll } from "./poll.js";
import {
  explained,
  invalid,
  language,
  number,
  setListLanguage,
  stale,
  startTexts,
  texts,
  translateFaults,
  unread,
} from "./text.js";
import { minutes, serverNow, timeOfDay } from "./time.js";

/** The page shows how many wait, and its form opens and closes with the list. */
const POLL_MS = 10_000;

/** Without an id in the link, one that no list has. */
const id = location.hash.slice(1) || "none";
const form = byId("form", HTMLFormElement);
const size = byId("size", HTMLInputElement);
const phone = byId("phone", HTMLInputElement);
const once = joining(id);

/** @type {Api.PublicWaitlist | null} */
let list = null;

/** Why there is no list to show. @type {"unknown" | "error" | null} */
let missing = null;

/** @type {unknown} */
let failure = null;

/** @type {string | null} */
let etag = null;

function show() {
  const [heading, lead] = headline();
  setText(byId("heading"), heading);
  setText(byId("lead"), lead);
  setText(byId("place"), list?.name ?? "");
  document.title = list ? `${heading} · ${list.name}` : heading;
  form.hidden = !list?.open;
  if (!list) return;
  const country = new Intl.DisplayNames(language(), { type: "region" }).of(list.region) ?? list.region;
  setText(byId("phone-hint"), texts().phoneHint(country));
}

/** @returns {[string, string]} */
function headline() {
  const words = texts();
  if (missing === "unknown") return [words.unknownListTitle, words.unknownList];
  if (!list) return [words.moment, missing ? unread(failure) : ""];
  if (!list.open) return [words.closedTitle, words.closed];
  const waiting = list.waiting === 0 ? words.noneWaiting : words.waiting(list.waiting, number(list.waiting));
  return [words.joinTitle, `${waiting} ${quote(list)}`.trim()];
}

/** @param {Api.PublicWaitlist} list */
function quote({ quote_minutes, time_zone }) {
  if (quote_minutes === null) return "";
  if (quote_minutes === 0) return texts().joinNoWait;
  const ms = quote_minutes * 60_000;
  return texts().joinQuote(minutes(ms, language()), timeOfDay(serverNow() + ms, time_zone, language()));
}

async function read() {
  try {
    const answer = await request("GET", `public/waitlists/${encodeURIComponent(id)}`, { ifNoneMatch: etag });
    if (answer.status !== 304) [list, etag] = [answer.body, answer.etag];
    missing = null;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) [list, etag, missing] = [null, null, "unknown"];
    if (!list) [missing, failure] = [missing ?? "error", error];
    show();
    throw error;
  }
  setListLanguage(list?.language ?? null);
  show();
}

/** A number with a country code: it may be one that no text reaches. */
function showForeign() {
  byId("phone-foreign").hidden = !/^\s*(\+|00)/.test(phone.value);
}

/** @param {number} by */
function step(by) {
  const count = Math.round(Number(size.value)) || 0;
  size.value = String(Math.min(100, Math.max(1, count + by)));
}

/** Fills the form with a join whose answer was lost. */
function restore() {
  const body = once.unanswered();
  byId("again").hidden = !body;
  for (const [name, value] of Object.entries(body ?? {})) {
    const control = form.elements.namedItem(name);
    if (control instanceof HTMLInputElement || control instanceof HTMLTextAreaElement) control.value = String(value ?? "");
  }
  showForeign();
}

/** @param {unknown} error */
function refusal(error) {
  if (!(error instanceof Problem)) return explained(error);
  if (error.slug === "waitlist-full") return texts().full;
  return error.slug === "waitlist-closed" ? texts().closed : explained(error);
}

onSubmit(
  form,
  async (values) => {
    let token;
    try {
      token = await once.join({ .../** @type {any} */ (values), language: language() });
    } catch (error) {
      const words = texts();
      const { nameWrong: name, sizeWrong: party_size, phoneWrong: phone, emailWrong: email, noteWrong: note } = words;
      translateFaults(error, { name, party_size, phone, email, note });
      byId("again").hidden = !once.unanswered();
      if (error instanceof Problem && error.status < 500) void polling.now();
      show();
      throw error;
    }
    // In place of this page: going back does not show the form again.
    location.replace(`visit#${token}`);
    // The form stays busy until the browser has left.
    await new Promise(() => {});
  },
  { explain: refusal, invalid },
);

phone.addEventListener("input", showForeign);
byId("fewer").addEventListener("click", () => step(-1));
byId("more").addEventListener("click", () => step(1));
window.addEventListener("hashchange", () => location.reload());

startTexts(() => {
  clearProblems(form);
  show();
});
restore();

const polling = poll(read, { everyMs: POLL_MS, banner: byId("banner"), text: stale, refused: () => {} });
