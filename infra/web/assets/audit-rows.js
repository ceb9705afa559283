/** What the rows of the audit say beyond the event: the stream that it belongs to, and where that leads. */

import { element } from "./dom.js";

/** @type {Record<string, string>} */
const STREAMS = { waitee: "Party", waitlist: "List", user: "Account", session: "Session", mail: "Mail to you", access: "Readings" };

/** The page of a stream's history, if there is one. @param {string} stream */
export function historyLink(stream) {
  if (/^(waitee|waitlist)-/.test(stream)) return `history#${stream}`;
  return stream.startsWith("user-") ? "history#me" : null;
}

/**
 * The links of an event.
 * @param {Api.Event} event
 * @param {Map<string, string>} names of lists, by id
 */
export function subjectLinks(event, names) {
  const dash = event.stream.indexOf("-");
  const [category, id] = [event.stream.slice(0, dash), event.stream.slice(dash + 1)];
  // A name in the audit would have to be read for each party; the end of its id tells parties apart.
  const text = category === "waitlist" ? names.get(id) ?? "List" : category === "waitee" ? (event.data?.name ?? `Party …${id.slice(-4)}`) : STREAMS[category] ?? event.stream;
  return element(
    "span",
    { class: "row event-links" },
    element("a", { class: "break", href: historyLink(event.stream) ?? `#target=${event.stream}` }, text),
    element("a", { class: "small", href: `#correlation=${encodeURIComponent(event.correlation)}` }, "same request"),
  );
}
