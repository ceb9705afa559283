/** The history of a party, a list or the account: each event of its stream, oldest first. The fragment names the stream. */

import { Problem } from "./api.js";
import { byId, element, keyed, replace, setText } from "./dom.js";
import { known } from "./event-details.js";
import { byDay, eventRows } from "./event-row.js";
import { messageStep } from "./event-words.js";
import { attempt, begin, showZone, title } from "./owner.js";
import { accountId, authorized } from "./session.js";
import { serverNow } from "./time.js";

const PAGE = 100;

/** @typedef {import("./event-row.js").Entry} Entry */

/**
 * @typedef {object} Shown the stream that is shown
 * @property {string} stream "waitee-<id>", "waitlist-<id>" or "me"
 * @property {string} path of its history
 * @property {Entry[]} entries
 * @property {Map<string, Entry>} messages the entry of each message
 * @property {import("./event-details.js").Known | null} values after the last event
 * @property {string | undefined} zone
 * @property {boolean} erased
 * @property {string | null} next
 */

/** @type {Shown | null} */
let shown = null;

const rows = eventRows(() => ({
  zone: shown?.zone,
  me: accountId(),
  erased: () => shown?.erased ?? false,
  now: shown && shown.next === null ? serverNow() : null,
}));

async function show() {
  const stream = location.hash.slice(1) || "me";
  const named = /^(waitee|waitlist)-([0-9a-f-]{36})$/i.exec(stream);
  const path = named ? `${named[1]}s/${named[2]}/history` : "me/history";
  const now = { stream, path, entries: [], messages: new Map(), values: null, zone: undefined, erased: false, next: null };
  shown = now;
  byId("verdict").hidden = true;
  byId("about").hidden = true;
  keyed(byId("events"), [], rows);
  if (!named && stream !== "me") {
    heading("History");
    byId("loading").hidden = true;
    throw new Error("This link names neither a party nor a list");
  }
  if (!named) heading("History of the account");
  const subject = named?.[1] === "waitee" ? party(now, named[2]) : named ? list(now, named[2]) : [["audit", "All events of the account"]];
  const [to] = await Promise.all([subject, more(now)]);
  if (now !== shown) return;
  links(to);
  draw(now);
}

/**
 * Reads the next page of events.
 * @param {Shown} of
 */
async function more(of) {
  const cursor = of.next ? `&cursor=${encodeURIComponent(of.next)}` : "";
  byId("loading").hidden = false;
  try {
    const { body } = await authorized("GET", `${of.path}?limit=${PAGE}${cursor}`);
    if (of !== shown) return;
    for (const event of body.items) add(of, event);
    of.next = body.next;
    verdict(of, body.verified);
    if (of.entries.length > 0) draw(of);
  } finally {
    byId("loading").hidden = true;
  }
}

/**
 * Adds an event: those of one message share an entry.
 * @param {Shown} of
 * @param {Api.Event} event
 */
function add(of, event) {
  if (event.type.endsWith(".erased")) of.erased = true;
  const message = messageStep(event) && event.data?.message;
  const begun = message && of.messages.get(message);
  if (begun) {
    begun.events.push(event);
    return;
  }
  const entry = { key: `${event.seq}`, events: [event], before: of.values };
  if (message) of.messages.set(message, entry);
  of.entries.push(entry);
  of.values = known(of.values, event);
}

/** @param {Shown} of */
function draw(of) {
  if (of !== shown) return;
  byId("erased").hidden = !of.erased;
  if (of.stream.startsWith("waitee-") && of.erased) heading("Erased guest");
  else if (of.stream.startsWith("waitee-") && of.values?.name) heading(of.values.name);
  else if (of.stream.startsWith("waitlist-") && of.values?.name) heading(of.values.name);
  showZone(of.zone);
  byId("more").hidden = of.next === null;
  keyed(byId("events"), byDay(of.entries, of.zone), rows);
}

/**
 * Tells what the party is and in which zone its list is.
 * @param {Shown} of
 * @param {string} id
 */
async function party(of, id) {
  const waitee = await present(`waitees/${id}`);
  const waitlist = waitee && (await present(`waitlists/${waitee.waitlist_id}`));
  of.erased ||= waitee?.erased ?? false;
  await zoneOf(of, waitlist, waitee?.waitlist_id);
  return [
    waitlist && [`board#${waitlist.id}`, `Board of ${waitlist.name}`],
    waitee && [`replay#${waitee.waitlist_id}&day=${waitee.day}`, "Replay that evening"],
    [`audit#target=${of.stream}`, "Search its events"],
  ];
}

/**
 * @param {Shown} of
 * @param {string} id
 */
async function list(of, id) {
  const waitlist = await present(`waitlists/${id}`);
  await zoneOf(of, waitlist, id);
  return [
    waitlist && [`board#${id}`, "Board"],
    [`replay#${id}`, "Replay an evening"],
    [`audit#waitlist=${id}`, "Events of all its parties"],
  ];
}

/**
 * Learns the zone from the list, or, if it is deleted, from its history.
 * @param {Shown} of
 * @param {Api.Waitlist | null} waitlist
 * @param {string} [id]
 */
async function zoneOf(of, waitlist, id) {
  of.zone = waitlist?.time_zone;
  if (!waitlist && id) of.zone = (await present(`waitlists/${id}/history?limit=1`))?.items[0]?.data?.time_zone;
}

/**
 * What is read, or null if it is gone.
 * @param {string} path
 */
async function present(path) {
  try {
    return (await authorized("GET", path)).body;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

/**
 * Shows whether the hash chain holds.
 * @param {Shown} of
 * @param {{ ok: boolean, seq: number | null, why: string | null }} verified
 */
function verdict(of, { ok, seq, why }) {
  const place = byId("verdict");
  place.hidden = false;
  place.className = ok ? (of.next ? "notice" : "notice good") : "notice danger stack";
  if (ok) {
    const text = of.next
      ? "Checked as far as it is shown: no event was altered, removed or added."
      : "Checked: by the hash chain, no event was altered, removed or added.";
    return replace(place, element("p", {}, text));
  }
  const stream = of.stream === "me" ? `user-${accountId()}` : of.stream;
  replace(
    place,
    element("p", {}, element("b", {}, `This history was altered after it was recorded, at event ${seq}: ${why}.`)),
    element(
      "p",
      {},
      "Do not rely on that event and those after it. Note the event's number and tell the person who operates this server: ",
      element("code", { class: "break" }, `waitlist verify --stream ${stream}`),
      " names the commit. A backup of the events table has it as it was recorded.",
    ),
  );
}

/** @param {string} text */
function heading(text) {
  setText(byId("heading"), text);
  title(text);
}

/** @param {(string[] | null | undefined)[]} to */
function links(to) {
  const about = byId("about");
  about.hidden = false;
  replace(about, ...to.map((link) => link && element("a", { class: "button", href: link[0] }, link[1])));
}

byId("more").addEventListener("click", () => {
  const of = shown;
  if (of) void attempt(() => more(of));
});
begin(show);
