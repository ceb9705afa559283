/**
 * Times by the server's clock, and how they read.
 *
 * The clock of a device may be wrong, so each answer's `Date` is compared with it. `Date` is cut to whole seconds: one answer
 * bounds the difference to a second and the time that the request took, and further answers narrow the bounds.
 */

/** The bounds of server time less `performance.now()`, in milliseconds. @type {{ low: number, high: number } | null} */
let bounds = null;

/**
 * Learns from an answer's `Date` header.
 * @param {string | null} date
 * @param {number} sent `performance.now()` before the request
 * @param {number} received `performance.now()` after the answer
 */
export function observeDate(date, sent, received) {
  const at = Date.parse(date ?? "");
  if (Number.isNaN(at)) return;
  const seen = { low: at - received, high: at + 1000 - sent };
  const both = bounds && { low: Math.max(bounds.low, seen.low), high: Math.min(bounds.high, seen.high) };
  // No overlap: one of the clocks was set, or the device slept.
  bounds = both && both.low <= both.high ? both : seen;
}

/** The time by the server's clock, in milliseconds since 1970. Before the first answer it is the device's time. */
export function serverNow() {
  return bounds ? performance.now() + (bounds.low + bounds.high) / 2 : Date.now();
}

/**
 * The milliseconds from now until a time of the API; negative once it has passed.
 * @param {string} time RFC 3339
 */
export function until(time) {
  return Date.parse(time) - serverNow();
}

/** @type {Map<string, Intl.NumberFormat | Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * A duration in words, to the minute: "12 min", "1 hr 5 min". Less than a minute is "0 min".
 * @param {number} ms
 * @param {string} [language]
 */
export function minutes(ms, language = "en") {
  const all = Math.max(0, Math.floor(ms / 60_000));
  const hours = Math.floor(all / 60);
  const rest = unit(all % 60, "minute", language);
  return hours === 0 ? rest : `${unit(hours, "hour", language)} ${rest}`;
}

/**
 * The rest of a countdown: "9:05".
 * @param {number} ms
 */
export function countdown(ms) {
  const all = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(all / 60)}:${String(all % 60).padStart(2, "0")}`;
}

/**
 * A number with its unit, in words of the language.
 * @param {number} count
 * @param {"hour" | "minute" | "second"} of
 * @param {string} [language]
 */
export function unit(count, of, language = "en") {
  const key = `${of} ${language}`;
  const made = () => new Intl.NumberFormat(language, { style: "unit", unit: of, unitDisplay: "short" });
  return /** @type {Intl.NumberFormat} */ (kept(key, made)).format(count);
}

/**
 * The time of day in a zone: "7:42 PM".
 * @param {string | number} time
 * @param {string} [zone]
 * @param {string} [language]
 */
export function timeOfDay(time, zone, language = "en") {
  return formatted(time, { timeStyle: "short", timeZone: zone }, language);
}

/**
 * Date and time of day in a zone: "Nov 20, 2026, 7:42 PM".
 * @param {string | number} time
 * @param {string} [zone]
 * @param {string} [language]
 */
export function dateAndTime(time, zone, language = "en") {
  return formatted(time, { dateStyle: "medium", timeStyle: "short", timeZone: zone }, language);
}

/**
 * The time of day in a zone, to the second: "7:42:05 PM".
 * @param {string | number} time
 * @param {string} [zone]
 * @param {string} [language]
 */
export function timeToSecond(time, zone, language = "en") {
  return formatted(time, { timeStyle: "medium", timeZone: zone }, language);
}

/**
 * The date in a zone: "Friday, November 20, 2026".
 * @param {string | number} time
 * @param {string} [zone]
 * @param {string} [language]
 */
export function fullDate(time, zone, language = "en") {
  return formatted(time, { dateStyle: "full", timeZone: zone }, language);
}

/**
 * @param {string | number} time
 * @param {Intl.DateTimeFormatOptions} options
 * @param {string} language
 */
function formatted(time, options, language) {
  const key = `${JSON.stringify(options)} ${language}`;
  const made = () => new Intl.DateTimeFormat(language, options);
  return /** @type {Intl.DateTimeFormat} */ (kept(key, made)).format(new Date(time));
}

/**
 * The formatter of a key: making one takes long, and a board of 400 parties needs thousands.
 * @param {string} key
 * @param {() => Intl.NumberFormat | Intl.DateTimeFormat} made
 */
function kept(key, made) {
  const format = formats.get(key) ?? made();
  formats.set(key, format);
  return format;
}
