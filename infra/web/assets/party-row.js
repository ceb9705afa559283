/** A party's row on the board: made once, then updated in place. */

import { COMMANDS, hold, message, nameOf, partyOf, quote, waited } from "./board-words.js";
import { element, replace, setAttributes, setText } from "./dom.js";
import { minutes } from "./time.js";

/** @typedef {import("./outbox-store.js").Tap} Tap */

/**
 * What a row shows.
 * @typedef {object} Shown
 * @property {Api.Waitee} party
 * @property {string} zone
 * @property {string | null} before the party in front of it in what is shown
 * @property {string | null} after the party behind it
 * @property {string | null} double the name and place of the party that it may be the double of
 * @property {Tap[]} taps that wait to be sent
 * @property {Tap | null} old the first of them, if it is asked again before it is sent
 * @property {boolean} sending
 * @property {boolean} failing whether taps wait for the network or the server
 *
 * @typedef {object} Does
 * @property {(id: string, command: string, body?: Record<string, string>) => void} tap
 * @property {(id: string) => void} edit
 * @property {(id: string) => void} erase
 * @property {(tap: Tap) => void} confirm
 * @property {(tap: Tap) => void} discard
 *
 * @typedef {{ shown: Shown, parts: ReturnType<typeof parts>, drawn: string }} Row
 */

/** @type {WeakMap<Element, Row>} */
const rows = new WeakMap();

/** The buttons that a state shows first. @type {Record<string, string[]>} */
const FIRST = { waiting: ["call", "seat"], called: ["seat", "no-show"], confirmed: ["seat", "no-show"] };

/** The buttons behind "More". @type {Record<string, string[]>} */
const MORE = {
  waiting: ["no-show", "leave", "remove"],
  called: ["call", "confirm", "restore", "leave", "remove"],
  confirmed: ["restore", "leave", "remove"],
};

/** @param {Does} does */
export function partyRows(does) {
  return {
    key: (/** @type {Shown} */ { party }) => party.id,
    create: (/** @type {Shown} */ shown) => create(shown, does),
    update: (/** @type {Element} */ node, /** @type {Shown} */ shown) => update(node, shown, does),
  };
}

/**
 * Updates what depends on the time.
 * @param {Element} node
 */
export function tickRow(node) {
  const row = rows.get(node);
  if (!row) return;
  const { party, zone } = row.shown;
  const { state, wait, waitText } = row.parts;
  badge(state, hold(party));
  badge(wait, party.state === "waiting" ? quote(party) : null);
  setText(waitText, waited(party, zone));
}

function parts() {
  return {
    place: element("span", { class: "place number", "aria-hidden": "true" }),
    name: element("h2", { class: "break" }),
    size: element("span", { class: "size number" }),
    state: element("span", { class: "badge number" }),
    wait: element("span", { class: "badge number" }),
    waitText: element("span", { class: "muted small number" }),
    facts: element("div", { class: "facts" }),
    note: element("p", { class: "note" }),
    pending: element("div", { class: "pending" }),
    first: element("div", { class: "taps" }),
    toggle: element("button", { type: "button", class: "quiet", "aria-expanded": "false" }, "More"),
    more: element("div", { class: "more" }),
  };
}

/** @param {Shown} shown @param {Does} does */
function create(shown, does) {
  const made = parts();
  const { place, name, size, state, wait, waitText, facts, note, pending, first, toggle, more } = made;
  more.hidden = true;
  more.id = `more-${shown.party.id}`;
  toggle.setAttribute("aria-controls", more.id);
  const node = element(
    "li",
    { class: "party" },
    place,
    element("div", { class: "about" }, element("div", { class: "title" }, name, size, state, wait), waitText, note, facts),
    element("div", { class: "first" }, first, toggle),
    pending,
    more,
  );
  const row = { shown, parts: made, drawn: "" };
  rows.set(node, row);
  toggle.addEventListener("click", () => {
    more.hidden = !more.hidden;
    toggle.setAttribute("aria-expanded", String(!more.hidden));
    if (!more.hidden) fillMore(row, does);
  });
  return node;
}

/** @param {Element} node @param {Shown} shown @param {Does} does */
function update(node, shown, does) {
  const row = /** @type {Row} */ (rows.get(node));
  row.shown = shown;
  tickRow(node);
  // What does not depend on the time is drawn again only when it has changed: a board has up to 400 rows.
  const drawn = JSON.stringify(shown);
  if (row.drawn === drawn) return;
  row.drawn = drawn;
  const { party, zone, double } = shown;
  const { place, name, size, facts, note, pending, first, toggle, more } = row.parts;
  node.setAttribute("data-state", party.state);
  setText(place, String(party.position ?? ""));
  setText(name, nameOf(party));
  replace(size, element("span", { "aria-hidden": "true" }, party.party_size), element("span", { class: "visually-hidden" }, partyOf(party.party_size)));
  setText(note, party.note ?? "");
  note.hidden = !party.note;
  const told = message(party, zone);
  replace(
    facts,
    told && element("span", { class: `fact ${told.tone}` }, told.text),
    double && element("span", { class: "fact warning" }, `Same phone as ${double}`),
    party.phone && element("a", { class: "fact", href: `tel:${party.phone}` }, party.phone),
    party.email && element("span", { class: "fact muted break" }, party.email),
  );
  facts.hidden = facts.childElementCount === 0;
  drawPending(pending, shown, does);
  buttons(first, FIRST[party.state] ?? [], row, does);
  toggle.setAttribute("aria-label", `More for ${nameOf(party)}`);
  if (!more.hidden) fillMore(row, does);
}

/** @param {Row} row @param {Does} does */
function fillMore(row, does) {
  const { party, before, after, taps } = row.shown;
  buttons(row.parts.more, [...(MORE[party.state] ?? []), "up", "down", "edit", "erase"], row, does);
  if (!row.parts.more.querySelector("a")) {
    const history = element("a", { class: "button", href: `history#waitee-${party.id}`, "aria-label": `History: ${nameOf(party)}` }, "History");
    row.parts.more.lastElementChild?.before(history);
  }
  const [up, down] = ["up", "down"].map((name) => /** @type {HTMLButtonElement} */ (row.parts.more.querySelector(`[data-do="${name}"]`)));
  up.disabled = !before || taps.length > 0;
  down.disabled = !after || taps.length > 0;
}

/** @type {Record<string, string>} */
const LABELS = { ...COMMANDS, up: "Move up", down: "Move down", edit: "Edit", erase: "Erase" };

/**
 * Makes the buttons of a place, or keeps them when they are the same, so that the focus stays.
 * @param {HTMLElement} place
 * @param {string[]} names
 * @param {Row} row
 * @param {Does} does
 */
function buttons(place, names, row, does) {
  const { party } = row.shown;
  const present = [.../** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-do]"))];
  if (present.map((node) => node.dataset.do).join() !== names.join()) {
    const focused = present.some((node) => node === document.activeElement);
    replace(place, ...names.map((name, index) => button(name, index === 0 && place === row.parts.first, row, does)));
    if (focused) row.parts.toggle.focus({ preventScroll: true });
  }
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-do]"))) {
    const name = /** @type {string} */ (node.dataset.do);
    const label = name === "call" && party.state === "called" ? "Call again" : LABELS[name];
    setText(node, label);
    setAttributes(node, { "aria-label": `${label}: ${nameOf(party)}` });
  }
}

/** @param {string} name @param {boolean} primary @param {Row} row @param {Does} does */
function button(name, primary, row, does) {
  const run = () => {
    const { party, before, after } = row.shown;
    if (name === "edit") does.edit(party.id);
    else if (name === "erase") does.erase(party.id);
    else if (name === "up" && before) does.tap(party.id, "move", { before });
    else if (name === "down" && after) does.tap(party.id, "move", { after });
    else if (name !== "up" && name !== "down") does.tap(party.id, name);
  };
  const look = primary ? "primary" : name === "erase" ? "danger" : "";
  return element("button", { type: "button", class: look, "data-do": name, onclick: run });
}

/** @param {HTMLElement} place @param {Shown} shown @param {Does} does */
function drawPending(place, { party, taps, old, sending, failing }, does) {
  place.hidden = taps.length === 0;
  const what = taps.map(({ command }) => COMMANDS[command].toLowerCase()).join(", ");
  if (old) replace(place, ...question(old, nameOf(party), does));
  else if (taps.length === 0 || sending || !failing) replace(place, taps.length > 0 && `${sending ? "Sending" : "Waiting to send"}: ${what}`);
  else {
    const label = `Do not send: ${what}, ${nameOf(party)}`;
    const drop = element("button", { type: "button", "aria-label": label, onclick: () => does.discard(taps[0]) }, "Do not send");
    replace(place, element("p", {}, `Waiting to send: ${what}`), element("div", { class: "actions" }, drop));
  }
}

/**
 * Asks whether a tap is still to be sent, long after it was made.
 * @param {Tap} old
 * @param {string} name of the party
 * @param {Pick<Does, "confirm" | "discard">} does
 */
export function question(old, name, does) {
  const [what, age] = [COMMANDS[old.command], Math.round(Math.abs(Date.now() - old.at) / 60_000)];
  const button = (/** @type {string} */ label, /** @type {(tap: Tap) => void} */ run) =>
    element("button", { type: "button", "aria-label": `${label}: ${what}, ${name}`, onclick: () => run(old) }, label);
  return [
    element("p", {}, `“${what}” for ${name} was tapped ${minutes(age * 60_000)} ago and is not sent yet. Send it now?`),
    element("div", { class: "actions" }, button("Send", does.confirm), button("Do not send", does.discard)),
  ];
}

/** @param {HTMLElement} node @param {import("./board-words.js").Words | null} words */
function badge(node, words) {
  node.hidden = !words;
  if (!words) return;
  setText(node, words.text);
  const look = `badge number ${words.tone}`;
  if (node.className !== look) node.className = look;
}
