/** The dialog that shows everyone of a business day, and takes back what was tapped by mistake. */

import { all } from "./api.js";
import { STATES, nameOf, partyOf } from "./board-words.js";
import { openDialog } from "./dialog.js";
import { element, keyed, setText } from "./dom.js";
import { explain } from "./form.js";
import { authorized } from "./session.js";
import { serverNow, timeOfDay } from "./time.js";
import { businessDay } from "./zone.js";

/** A restore is refused once this much time has passed since joining. */
const VISIT_MS = 24 * 3_600_000;

/**
 * Opens the dialog. Returns a function that reads the day again.
 * @param {Api.Waitlist} list
 * @param {(party: Api.Waitee) => void} restore
 * @param {() => void} closed
 * @returns {() => Promise<void>}
 */
export function openDay(list, restore, closed) {
  const today = businessDay(serverNow(), list);
  const day = element("input", { id: "day", type: "date", value: today, max: today, onchange: () => void refresh() });
  const replay = element("a", { class: "button" }, "Replay this day");
  const status = element("p", { class: "muted", role: "status" }, "Loading…");
  const rows = element("ol", { class: "day-list" });
  openDialog("Everyone of the day", [element("div", { class: "field day-field" }, element("label", { for: day.id }, "Day"), day), status, rows, element("div", { class: "actions" }, replay)], { wide: true, closed });
  const how = {
    key: (/** @type {Api.Waitee} */ party) => party.id,
    create: () => row(),
    update: (/** @type {HTMLElement} */ node, /** @type {Api.Waitee} */ party) => fill(node, party, list.time_zone, restore),
  };

  async function refresh() {
    const asked = day.value || today;
    replay.href = `replay#${list.id}&day=${asked}`;
    try {
      const parties = await all(authorized, `waitlists/${list.id}/waitees?day=${asked}`, 2000);
      if (asked !== (day.value || today)) return;
      keyed(rows, parties, how);
      setText(status, parties.length === 0 ? "Nobody came on this day." : summary(parties));
    } catch (error) {
      setText(status, explain(error));
    }
  }

  void refresh();
  return refresh;
}

/** @param {Api.Waitee[]} parties */
function summary(parties) {
  const of = (/** @type {Api.State} */ state) => parties.filter((party) => party.state === state).length;
  const people = parties.reduce((sum, { party_size }) => sum + party_size, 0);
  const counts = /** @type {Api.State[]} */ (["seated", "left", "no-show", "removed"]).filter(of);
  const states = counts.map((state) => `${of(state)} ${STATES[state].toLowerCase()}`);
  const parts = parties.length === 1 ? "1 party" : `${parties.length} parties`;
  return [`${parts}, ${partyOf(people)}`, ...states].join(" · ");
}

function row() {
  return element(
    "li",
    {},
    element("div", { class: "stack-tight" }, element("b", { class: "break" }), element("span", { class: "muted small number" })),
    element("span", { class: "badge" }),
    element("button", { type: "button" }, "Restore"),
  );
}

/**
 * @param {HTMLElement} node
 * @param {Api.Waitee} party
 * @param {string} zone
 * @param {(party: Api.Waitee) => void} restore
 */
function fill(node, party, zone, restore) {
  const [name, times, state, button] = ["b", ".small", ".badge", "button"].map((part) => /** @type {HTMLElement} */ (node.querySelector(part)));
  setText(name, `${nameOf(party)} (${party.party_size})`);
  const finished = party.finished_at ? `, ${STATES[party.state].toLowerCase()} ${timeOfDay(party.finished_at, zone)}` : "";
  setText(times, `Joined ${timeOfDay(party.joined_at, zone)}${finished}`);
  setText(state, STATES[party.state]);
  state.className = `badge ${party.state === "seated" ? "good" : ""}`;
  const isOver = serverNow() - Date.parse(party.joined_at) > VISIT_MS;
  button.hidden = !party.finished_at || party.erased || isOver;
  button.setAttribute("aria-label", `Restore ${nameOf(party)}`);
  button.onclick = () => restore(party);
}
