/** The filters of the audit: in the form, in the address and in the request. */

import { element, replace } from "./dom.js";
import { TYPES } from "./event-words.js";
import { instantOf, wallOf } from "./zone.js";

/** The parameters of the route that filter. */
const NAMES = ["from", "to", "actor", "action", "target", "waitlist", "correlation", "order"];

const CATEGORIES = { "waitee.*": "All of visits", "waitlist.*": "All of lists", "user.*": "All of the account", "session.*": "All of sessions", "mail.*": "All of mails to you", "access.*": "All of readings and exports" };

const MESSAGES = ["sent", "failed", "skipped", "bounced"].map((step) => `waitee.notification-${step}`);

const PARTS = { "system:tick": "Timed work, such as no-shows", "system:delivery": "Messages", "system:eraser": "Erasure", "system:operator": "An operator at the command line" };

/** @typedef {Record<string, string>} Filters */

/** The filters in the address; other parameters are dropped. @returns {Filters} */
export function filtersOfAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(NAMES.flatMap((name) => (asked.get(name) ? [[name, /** @type {string} */ (asked.get(name))]] : [])));
}

/**
 * @param {Filters} filters
 * @returns {string} as a query
 */
export function queryOf(filters) {
  return new URLSearchParams(filters).toString();
}

/**
 * The form's filters. Times are read in the zone.
 * @param {import("./form.js").Values} values
 * @param {string} [zone]
 * @returns {Filters}
 */
export function filtersOf(values, zone) {
  const set = NAMES.filter((name) => values[name] && !(name === "order" && values[name] === "desc"));
  return Object.fromEntries(set.map((name) => [name, name === "from" || name === "to" ? instantOf(values[name], zone) : values[name]]));
}

/**
 * Fills the form.
 * @param {HTMLFormElement} form
 * @param {Filters} filters
 * @param {string} [zone]
 */
export function fill(form, filters, zone) {
  for (const name of NAMES) {
    const control = /** @type {HTMLInputElement | HTMLSelectElement} */ (form.elements.namedItem(name));
    const value = filters[name] ?? (name === "order" ? "desc" : "");
    const isTime = (name === "from" || name === "to") && !Number.isNaN(Date.parse(value));
    if (control instanceof HTMLSelectElement && ![...control.options].some((option) => option.value === value)) {
      control.append(element("option", { value }, value));
    }
    control.value = isTime ? wallOf(value, zone).replace(/:00$/, "") : value;
  }
}

/**
 * Offers the lists, actions and actors to choose from.
 * @param {HTMLFormElement} form
 * @param {Api.Waitlist[]} lists
 * @param {string | null} me the id of the account
 */
export function offer(form, lists, me) {
  const choice = (/** @type {string} */ name) => /** @type {Element} */ (form.querySelector(`[name="${name}"]`));
  replace(choice("waitlist"), element("option", { value: "" }, "All lists"), ...lists.map((list) => element("option", { value: list.id }, list.name)));
  const actions = [...Object.entries(CATEGORIES), ...[...TYPES, ...MESSAGES].map((type) => [type, ""])];
  replace(/** @type {Element} */ (form.querySelector("#actions")), ...actions.map(([value, text]) => element("option", { value }, text)));
  const actors = [...(me ? [[`user:${me}`, "You"]] : []), ...Object.entries(PARTS)];
  replace(/** @type {Element} */ (form.querySelector("#actors")), ...actors.map(([value, text]) => element("option", { value }, text)));
}
