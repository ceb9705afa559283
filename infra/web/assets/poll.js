/** Reads again and again while the page is shown, and tells the age of what it shows when answers stay away. */

import { Problem, Unreachable } from "./api.js";
import { setText } from "./dom.js";

/** Without an answer for this long, the banner shows. It takes longer on a page that asks less often. */
const STALE_MS = 10_000;
const STALE_TURNS = 1.5;

/** The longest wait between two tries after failures. */
const BACKOFF_MS = 30_000;

/**
 * @typedef {object} Settings
 * @property {number} [everyMs]
 * @property {HTMLElement} [banner] shown while the data is old; give it `role="status"`
 * @property {(seconds: number) => string} [text] of the banner
 * @property {(error: unknown) => void} [refused] is told of an error that is neither a lost answer nor a passing one
 */

/**
 * Polls by `read`, which asks and shows. Errors that it throws make the next try wait longer.
 * @param {() => Promise<void>} read
 * @param {Settings} [settings]
 */
export function poll(read, { everyMs = 3000, banner, text = stale, refused } = {}) {
  const staleMs = Math.max(STALE_MS, everyMs * STALE_TURNS);
  let failures = 0;
  let answeredAt = performance.now();
  let shownAt = performance.now();
  let stopped = false;
  /** @type {number | undefined} */
  let timer;
  /** The reading under way. @type {Promise<void> | null} */
  let reading = null;
  let again = false;

  async function turn() {
    clearTimeout(timer);
    let waitMs = everyMs;
    try {
      await read();
      failures = 0;
      answeredAt = performance.now();
      age();
    } catch (error) {
      if (stopped) return; // the page shows something else by now
      failures += 1;
      waitMs = Math.min(BACKOFF_MS, everyMs * 2 ** Math.min(failures - 1, 8)) * (0.75 + Math.random() / 2);
      if (error instanceof Problem && error.retryAfterS) waitMs = Math.max(waitMs, error.retryAfterS * 1000);
      const passing = error instanceof Unreachable || (error instanceof Problem && error.passing);
      if (!passing) {
        if (!refused) throw error;
        refused(error);
      }
    } finally {
      reading = null;
      if (!stopped && !document.hidden) timer = setTimeout(now, again ? 0 : waitMs);
      again = false;
    }
  }

  /** Reads at once, or directly after the reading that is under way, which may have begun too early. */
  function now() {
    if (stopped) return Promise.resolve();
    if (reading) again = true;
    reading ??= turn();
    return reading;
  }

  function age() {
    if (!banner || document.hidden) return;
    const sinceMs = performance.now() - Math.max(answeredAt, shownAt);
    banner.hidden = sinceMs < staleMs;
    if (!banner.hidden) setText(banner, text(Math.round((performance.now() - answeredAt) / 1000)));
  }

  function visible() {
    if (document.hidden) return clearTimeout(timer);
    shownAt = performance.now();
    void now();
  }

  const clock = setInterval(age, 1000);
  const online = () => void now();
  document.addEventListener("visibilitychange", visible);
  window.addEventListener("online", online);
  void now();

  return {
    now,
    stop() {
      stopped = true;
      clearTimeout(timer);
      clearInterval(clock);
      document.removeEventListener("visibilitychange", visible);
      window.removeEventListener("online", online);
      if (!banner) return;
      banner.hidden = true;
      setText(banner, "");
    },
  };
}

/** @param {number} seconds */
function stale(seconds) {
  const age = seconds < 60 ? `${seconds} seconds` : `${Math.floor(seconds / 60)} min`;
  const why = navigator.onLine ? "The server does not answer." : "This device is offline.";
  return `${why} What you see is ${age} old.`;
}
