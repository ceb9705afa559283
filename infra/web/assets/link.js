/** What the pages of mailed links share. The fragment is the token; it is sent when a button is tapped, never on load. */

import { Problem } from "./api.js";
import { byId, setText } from "./dom.js";
import { texts } from "./text.js";

/** @typedef {keyof import("./text.js").Texts} Name */

/** The token of the link; empty if there is none. */
export const token = location.hash.slice(1);

/** Whether the API refused the token: it was used, is too old, or is not ours. @param {unknown} error */
export function isVoid(error) {
  return error instanceof Problem && error.slug === "invalid-token";
}

/**
 * Shows a heading and a text, both by name.
 * @param {Name} title
 * @param {Name | null} lead
 */
export function showStep(title, lead) {
  const words = /** @type {Record<string, string>} */ (/** @type {unknown} */ (texts()));
  setText(byId("heading"), words[title]);
  setText(byId("lead"), lead ? words[lead] : "");
  document.title = words[title];
}

window.addEventListener("hashchange", () => location.reload());
