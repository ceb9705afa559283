/** The board of a step: made of the API's answer alone. */

import { STATES, nameOf, partyOf } from "./board-words.js";
import { element, keyed, replace, setText } from "./dom.js";
import { minutes, timeOfDay } from "./time.js";

/** The look of each state. @type {Partial<Record<Api.State, string>>} */
const TONES = { called: "accent", confirmed: "good" };

/** @type {Record<Api.MessageStatus, string>} */
const TOLD = {
  due: "message due",
  started: "message being sent",
  sent: "message sent",
  failed: "message failed",
  unknown: "message may not have been sent",
  skipped: "message not sent",
  bounced: "message came back",
};

/**
 * @typedef {object} Moment
 * @property {string} at
 * @property {string} zone
 * @property {string | null} party the id of the party that the event is about
 */

/**
 * Shows a board.
 * @param {Element} place
 * @param {Api.Waitee[]} parties
 * @param {Moment} moment
 */
export function drawBoard(place, parties, moment) {
  keyed(place, parties, {
    key: ({ id }) => id,
    create: ({ id }) => element("li", { class: "replay-party", "data-id": id }),
    update: (row, party) => draw(row, party, moment),
  });
}

/** What each row was drawn from. @type {WeakMap<Element, string>} */
const drawn = new WeakMap();

/**
 * @param {HTMLElement} row
 * @param {Api.Waitee} party
 * @param {Moment} moment
 */
function draw(row, party, { at, zone, party: changed }) {
  const isChanged = party.id === changed;
  const waited = minutes(Date.parse(at) - Date.parse(party.joined_at));
  const from = JSON.stringify([party, waited, isChanged]);
  if (drawn.get(row) === from) return;
  drawn.set(row, from);
  row.dataset.state = party.state;
  row.classList.toggle("changed", isChanged);
  const hold = party.state === "called" && party.hold_until ? `, held until ${timeOfDay(party.hold_until, zone)}` : "";
  const told = party.notifications.at(-1);
  replace(
    row,
    element("span", { class: "replay-place number" }, party.position),
    element(
      "div",
      { class: "replay-about" },
      element("p", { class: "break" }, element("a", { class: "replay-name", href: `history#waitee-${party.id}` }, nameOf(party)), isChanged && element("span", { class: "visually-hidden" }, ", just changed")),
      element(
        "p",
        { class: "muted small" },
        `${partyOf(party.party_size)} · waited ${waited}${told ? ` · ${TOLD[told.status]}` : ""}`,
      ),
      party.note && element("p", { class: "small break" }, party.note),
    ),
    element("span", { class: `badge ${TONES[party.state] ?? ""}` }, `${STATES[party.state]}${hold}`),
  );
}

/**
 * Says how many parties there are.
 * @param {Element} place
 * @param {Api.Waitee[]} parties
 */
export function drawCount(place, parties) {
  const guests = parties.reduce((sum, party) => sum + party.party_size, 0);
  setText(place, parties.length === 0 ? "The board is empty." : `${parties.length} ${parties.length === 1 ? "party" : "parties"}, ${guests} ${guests === 1 ? "guest" : "guests"}`);
}
