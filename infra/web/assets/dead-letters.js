/** The list of dead letters: work that failed too often, and the button that queues it again. */

import { Problem, all } from "./api.js";
import { byId, element, keyed, replace, setText } from "./dom.js";
import { explain } from "./form.js";
import { authorized } from "./session.js";
import { dateAndTime } from "./time.js";

/** The most that are shown. */
const MOST = 200;

/** @type {Api.DeadLetter[]} */
let letters = [];

/** Reads and shows them. Each reading counts as an attempt with SQS and hides them for ten seconds, so there is no polling. */
export async function showDeadLetters() {
  setText(byId("letters-status"), "Looking…");
  try {
    letters = await all(authorized, "dead-letters", MOST);
  } catch (error) {
    setText(byId("letters-status"), "");
    throw error;
  }
  draw();
}

function draw() {
  const count = letters.length;
  setText(byId("letters-status"), count === 0 ? "None. All work is done or in its queue." : count === 1 ? "One dead letter." : `${count} dead letters.`);
  keyed(byId("letters"), letters, { key: ({ id }) => id, create, update: () => undefined });
}

/** @param {Api.DeadLetter} letter */
function create({ id, queue, stream, generation, cause, attempts, first_at, last_at }) {
  const message = element("p", { class: "form-message", role: "alert" });
  const redrive = element("button", { type: "button", onclick: () => void send() }, "Try it again");
  async function send() {
    redrive.disabled = true;
    setText(message, "");
    try {
      await authorized("POST", `dead-letters/${id}/redrive`, { body: {} });
      gone("It is queued again.");
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return gone("It is no longer a dead letter.");
      setText(message, explain(error));
      redrive.disabled = false;
    }
  }
  /** @param {string} text */
  function gone(text) {
    letters = letters.filter((one) => one.id !== id);
    draw();
    setText(byId("letters-status"), `${text} ${byId("letters-status").textContent}`);
    byId("letters-heading").focus();
  }
  const facts = [
    ["Stream", stream ?? "not named"],
    ["Rows", generation ?? "not named"],
    ["Attempts", attempts],
    ["Queued", dateAndTime(first_at)],
    ["Given up", last_at ? dateAndTime(last_at) : "not known"],
    ["Queue", queue],
  ];
  const list = element("dl", { class: "event-details" });
  replace(list, ...facts.map(([name, value]) => element("div", {}, element("dt", { class: "muted" }, name), element("dd", { class: "break" }, value))));
  return element("li", { class: "card stack" }, element("p", { class: "break" }, element("b", {}, cause ?? "No cause is named")), list, message, element("div", { class: "actions" }, redrive));
}
