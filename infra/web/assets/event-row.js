/** Rows of events, by day. */

import { detailsOf } from "./event-details.js";
import { actorWords, wordsOf } from "./event-words.js";
import { element, replace, setText } from "./dom.js";
import { fullDate, timeToSecond } from "./time.js";

/**
 * A row: an event, or all events of one message.
 * @typedef {object} Entry
 * @property {string} key
 * @property {Api.Event[]} events oldest first
 * @property {import("./event-details.js").Known | null} before the values before the event
 *
 * @typedef {object} Context
 * @property {string} [zone]
 * @property {string | null} me the id of the signed-in account
 * @property {(event: Api.Event) => boolean} erased whether the guest or account of an event is erased
 * @property {number | null} [now] the time, if entries hold all events of their messages
 * @property {(event: Api.Event) => Node | null} [subject] what the event is about, where that differs by row
 */

/** A heading above the events of a day. @typedef {{ key: string, day: string }} Day */

/**
 * The entries with a heading before each day.
 * @param {Entry[]} entries
 * @param {string} [zone]
 * @returns {(Entry | Day)[]}
 */
export function byDay(entries, zone) {
  let last = "";
  return entries.flatMap((entry) => {
    const day = fullDate(entry.events[0].at, zone);
    if (day === last) return [entry];
    last = day;
    return [{ key: `day ${day} ${entry.key}`, day }, entry];
  });
}

/**
 * How a keyed list makes these rows.
 * @param {() => Context} context
 */
export function eventRows(context) {
  return {
    key: (/** @type {Entry | Day} */ { key }) => key,
    create: (/** @type {Entry | Day} */ entry) => element("li", { class: "day" in entry ? "day" : "event", "data-key": entry.key }),
    update: (/** @type {HTMLElement} */ row, /** @type {Entry | Day} */ entry) => {
      const drawn = "day" in entry ? entry.day : JSON.stringify([entry, context().erased(entry.events[0]), context().zone]);
      if (written.get(row) === drawn) return;
      written.set(row, drawn);
      if ("day" in entry) replace(row, element("h2", {}, entry.day));
      else draw(row, entry, context());
    },
  };
}

/** What each row was drawn from. @type {WeakMap<Element, string>} */
const written = new WeakMap();

/**
 * @param {HTMLElement} row
 * @param {Entry} entry
 * @param {Context} context
 */
function draw(row, { events, before }, context) {
  const { zone, me, erased } = context;
  const first = events[0];
  const last = events[events.length - 1];
  const { text, tone } = wordsOf(events, context.now);
  const details = events.length > 1 ? [] : detailsOf(last, before, { zone, erased: erased(last) });
  const open = row.querySelector("details")?.open ?? false;
  replace(
    row,
    element("time", { class: "number muted small", datetime: first.at }, timeToSecond(first.at, zone)),
    element(
      "div",
      { class: "event-body" },
      element("p", { class: `event-words ${tone}` }, element("b", {}, text), context.subject?.(last)),
      element("p", { class: "muted small" }, actorWords(last.actor, me)),
      details.length > 0 && element("dl", { class: "event-details" }, ...details.map(detail)),
      events.length > 1 && element("ol", { class: "event-steps small muted" }, ...events.map((event) => step(event, zone))),
      raw(events, open),
    ),
  );
}

/** @param {import("./event-details.js").Detail} detail */
function detail({ label, value, was }) {
  const shown = was === undefined ? [value] : [element("s", { class: "muted" }, element("span", { class: "visually-hidden" }, "from "), was), " → ", element("span", { class: "visually-hidden" }, "to "), value];
  return element("div", {}, element("dt", { class: "muted" }, label), element("dd", { class: "break" }, ...shown));
}

/**
 * @param {Api.Event} event
 * @param {string} [zone]
 */
function step(event, zone) {
  return element("li", {}, element("span", { class: "number" }, timeToSecond(event.at, zone)), ` ${wordsOf([event]).text}`);
}

/**
 * The stored data, shown on demand.
 * @param {Api.Event[]} events
 * @param {boolean} open
 */
function raw(events, open) {
  const place = element("div", {});
  const fill = () => {
    if (!node.open || place.childElementCount > 0) return;
    for (const event of events) {
      const text = element("pre", { class: "raw", tabindex: 0, role: "group", "aria-label": `Event ${event.seq} in JSON` });
      setText(text, JSON.stringify(event, null, 2));
      place.append(text);
    }
  };
  const label = `Data of event ${events.map(({ seq }) => seq).join(", ")}`;
  const node = element("details", { ontoggle: fill }, element("summary", { class: "small" }, label), place);
  node.open = open;
  if (open) fill();
  return node;
}
