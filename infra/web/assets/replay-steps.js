/** The steps of a replay: the events of a list and its visits in one business day, oldest first. */

import { authorized } from "./session.js";
import { boundsOf, businessDay } from "./zone.js";

/** A day holds at most so many steps; a list of 400 parties makes some 4,000 events. */
const STEPS_MAX = 10_000;

/** Pages may be empty and still lead on. */
const PAGES_MAX = 500;

/**
 * The steps of a day.
 * @param {Api.Waitlist} list
 * @param {string} day
 * @param {(count: number) => void} progress is told how many are read so far
 * @param {AbortSignal} signal
 * @returns {Promise<{ steps: Api.Event[], until: string | null }>} `until` is set while later events of the day may follow
 */
export async function stepsOf(list, day, progress, signal) {
  const { from, to } = boundsOf(day, list);
  const path = `audit?waitlist=${list.id}&order=asc&limit=200&from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
  /** @type {Api.Event[]} */
  const steps = [];
  let cursor = "";
  for (let page = 0; page < PAGES_MAX && steps.length < STEPS_MAX; page += 1) {
    /** @type {{ body: Api.Audit }} */
    const { body } = await authorized("GET", `${path}${cursor}`, { signal });
    steps.push(...body.items);
    progress(steps.length);
    if (!body.next) return { steps, until: body.complete_until < to ? body.complete_until : null };
    cursor = `&cursor=${encodeURIComponent(body.next)}`;
  }
  return { steps, until: null };
}

/**
 * The business day of the list's last event; today if there is none.
 * @param {Api.Waitlist} list
 * @param {number} now
 * @param {AbortSignal} signal
 */
export async function lastDay(list, now, signal) {
  let cursor = "";
  for (let page = 0; page < PAGES_MAX; page += 1) {
    /** @type {{ body: Api.Audit }} */
    const { body } = await authorized("GET", `audit?waitlist=${list.id}&limit=1${cursor}`, { signal });
    if (body.items.length > 0) return businessDay(body.items[0].at, list);
    if (!body.next) break;
    cursor = `&cursor=${encodeURIComponent(body.next)}`;
  }
  return businessDay(now, list);
}
