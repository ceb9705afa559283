/** Short messages at the bottom of the page, with a button to act on them. */

import { element } from "./dom.js";

/** Messages go after this time, unless they are pointed at or focused; those with a button later. */
const SHOWN_MS = 5000;
const ACTION_MS = 12_000;

/** Further messages push out the oldest. */
const MOST = 4;

/**
 * @typedef {object} Options
 * @property {"good" | "danger"} [kind] what went wrong stays until it is dismissed
 * @property {{ label: string, run: () => void }} [action]
 * @property {string} [about] the party: a newer message about it takes the place of an older one
 */

/**
 * Shows a message and reads it aloud.
 * @param {string} text
 * @param {Options} [options]
 */
export function say(text, { kind = "good", action, about } = {}) {
  const place = document.getElementById("messages");
  if (!place) return;
  // The same again, such as a poll's failure, is shown once.
  if (place.lastElementChild?.querySelector("p")?.textContent === text) return;
  if (about) place.querySelector(`.good[data-about="${CSS.escape(about)}"]`)?.remove();
  const close = () => message.remove();
  const act = action && element("button", { type: "button", onclick: () => (close(), action.run()) }, action.label);
  const dismiss = element("button", { type: "button", class: "quiet", "aria-label": "Dismiss", onclick: close }, "✕");
  const message = element("div", { class: `message ${kind}`, "data-about": about }, element("p", {}, text), act, dismiss);
  place.append(message);
  while (place.childElementCount > MOST) place.firstElementChild?.remove();
  if (kind === "good") goLater(message, action ? ACTION_MS : SHOWN_MS);
}

/** @param {HTMLElement} message @param {number} afterMs */
function goLater(message, afterMs) {
  setTimeout(() => {
    if (message.matches(":hover, :focus-within")) goLater(message, afterMs);
    else message.remove();
  }, afterMs);
}
