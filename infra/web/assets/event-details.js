/** The details of an event, field by field, with the values before a change. */

import { dateAndTime, fullDate, timeOfDay } from "./time.js";

/**
 * @typedef {object} Detail
 * @property {string} label
 * @property {string} value
 * @property {string} [was] the value before the change
 */

/** Values by which a change is told. @typedef {Record<string, any>} Known */

/** The fields that are shown, by type of the value. @type {Record<string, [label: string, as: "text" | "minutes" | "time" | "yes" | "personal"]>} */
const FIELDS = {
  name: ["Name", "personal"],
  party_size: ["Party of", "text"],
  phone: ["Phone", "personal"],
  email: ["E-mail", "personal"],
  note: ["Note", "personal"],
  quoted_minutes: ["Quoted", "minutes"],
  language: ["Language", "text"],
  reason: ["Reason", "personal"],
  day: ["Business day", "text"],
  hold_until: ["Held until", "time"],
  remind_at: ["Reminder at", "time"],
  open: ["Open", "yes"],
  time_zone: ["Time zone", "text"],
  region: ["Region", "text"],
  capacity: ["Most parties", "text"],
  hold_minutes: ["Table held", "minutes"],
  remind_minutes: ["Reminder before the end", "minutes"],
  quote_minutes: ["Quote per party", "minutes"],
  day_starts: ["Business day starts", "text"],
  texts_per_day: ["Texts a day", "text"],
  by: ["By", "text"],
  command: ["Command", "text"],
  format: ["Format", "text"],
  from: ["From", "time"],
  to: ["Until", "time"],
  again_at: ["Next try", "time"],
};

/** Events that hold the whole state, of which only the changes are shown. */
const WHOLE = new Set(["waitlist.settings-changed", "waitlist.opened", "waitlist.closed", "waitlist.deleted"]);

/** Events whose null values were cleared, unless the guest is erased. */
const CHANGES = new Set(["waitee.details-changed", ...WHOLE]);

/**
 * The details of an event.
 * @param {Api.Event} event
 * @param {Known | null} before the values before the event, as far as they are known
 * @param {{ zone?: string, erased: boolean }} context
 * @returns {Detail[]}
 */
export function detailsOf(event, before, { zone, erased }) {
  const data = event.data ?? {};
  const names = WHOLE.has(event.type) && before ? Object.keys({ ...before, ...data }) : Object.keys(data);
  const isChange = CHANGES.has(event.type);
  return Object.keys(FIELDS).filter((name) => names.includes(name)).flatMap((name) => {
    const [label, as] = FIELDS[name];
    // A list names its own facts in clear; only guests and accounts are erased.
    const personal = as === "personal" && !event.type.startsWith("waitlist.");
    const word = (/** @type {any} */ value) => wordOf(value, as, event.at, zone, personal && (erased || !isChange));
    const value = word(data[name]);
    if (!isChange || !before || !(name in before)) return [{ label, value }];
    const was = word(before[name]);
    if (was === value) return WHOLE.has(event.type) || personal ? [] : [{ label, value }];
    return [{ label, value, was }];
  });
}

/**
 * The values after an event.
 * @param {Known | null} before
 * @param {Api.Event} event
 * @returns {Known | null}
 */
export function known(before, event) {
  if (WHOLE.has(event.type) || event.type === "waitlist.created") return event.data;
  if (event.type === "waitee.joined") return { phone: null, email: null, note: null, quoted_minutes: null, language: null, ...event.data };
  if (event.type === "waitee.details-changed") return { ...before, ...event.data };
  return before;
}

/**
 * @param {any} value
 * @param {string} as
 * @param {string} at the event's time
 * @param {string | undefined} zone
 * @param {boolean} isErased whether a value that is missing was erased
 */
function wordOf(value, as, at, zone, isErased) {
  if (value === null || value === undefined) return isErased ? "erased" : "none";
  if (as === "minutes") return `${value} min`;
  if (as === "time") return fullDate(value, zone) === fullDate(at, zone) ? timeOfDay(value, zone) : dateAndTime(value, zone);
  if (as === "yes") return value ? "yes" : "no";
  return String(value);
}
