/** Wall-clock times of a time zone, and business days. */

const DAY_MS = 86_400_000;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * The wall clock of a zone at a time: "2026-11-20T19:42:05".
 * @param {string | number} time
 * @param {string} [zone] the browser's if it is left out
 */
export function wallOf(time, zone) {
  const parts = format(zone).formatToParts(new Date(time));
  const part = (/** @type {string} */ type) => parts.find((one) => one.type === type)?.value;
  return `${part("year")}-${part("month")}-${part("day")}T${part("hour")}:${part("minute")}:${part("second")}`;
}

/**
 * The time at which the wall clock of a zone shows `wall`, in RFC 3339. A wall time that a change of the clocks leaves out is
 * taken as an hour later.
 * @param {string} wall "2026-11-20T19:42", with or without seconds
 * @param {string} [zone]
 */
export function instantOf(wall, zone) {
  const asUtc = Date.parse(`${wall}Z`);
  const guess = asUtc - offsetMs(asUtc, zone);
  return new Date(asUtc - offsetMs(guess, zone)).toISOString();
}

/**
 * The business day of a time.
 * @param {string | number} time
 * @param {Pick<Api.Settings, "time_zone" | "day_starts">} list
 */
export function businessDay(time, { time_zone, day_starts }) {
  const [hours, minutes] = day_starts.split(":").map(Number);
  return iso(Date.parse(`${wallOf(time, time_zone)}Z`) - (hours * 60 + minutes) * 60_000);
}

/**
 * The first moment of a business day, and that of the next.
 * @param {string} day "2026-11-20"
 * @param {Pick<Api.Settings, "time_zone" | "day_starts">} list
 */
export function boundsOf(day, { time_zone, day_starts }) {
  return { from: instantOf(`${day}T${day_starts}`, time_zone), to: instantOf(`${dayAfter(day)}T${day_starts}`, time_zone) };
}

/**
 * @param {string} day
 * @param {number} [days] may be negative
 */
export function dayAfter(day, days = 1) {
  return iso(Date.parse(`${day}T00:00Z`) + days * DAY_MS);
}

/** @param {number} time */
function iso(time) {
  return new Date(time).toISOString().slice(0, 10);
}

/**
 * @param {number} time
 * @param {string} [zone]
 */
function offsetMs(time, zone) {
  return Date.parse(`${wallOf(time, zone)}Z`) - Math.floor(time / 1000) * 1000;
}

/** @param {string} [zone] */
function format(zone) {
  const key = zone ?? "";
  const made = formats.get(key) ?? new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  formats.set(key, made);
  return made;
}
