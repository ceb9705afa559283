/** What the pages for owners and operators share: the session, and the place for problems. */

import { Problem, Unreachable } from "./api.js";
import { byId, element, replace, setText } from "./dom.js";
import { explain } from "./form.js";
import { SignedOut, onSession, session } from "./session.js";

/**
 * Calls `show` now and when the fragment changes. Without a session the browser goes to the sign-in, which leads back here.
 * @param {() => Promise<void>} show
 */
export function begin(show) {
  const start = () => {
    if (!session()) return signIn();
    void attempt(show);
  };
  window.addEventListener("hashchange", start);
  onSession(start);
  start();
}

/** Goes to the sign-in, which leads back here. */
export function signIn() {
  const page = location.pathname.split("/").pop() ?? "";
  sessionStorage.setItem("waitlist.return", page + location.hash);
  location.replace("./");
}

/**
 * Runs `work` and shows its problem, with a button to try again.
 * @param {() => Promise<void>} work
 */
export async function attempt(work) {
  const place = byId("problem");
  place.hidden = true;
  try {
    await work();
  } catch (error) {
    problem(error, () => attempt(work));
  }
}

/**
 * Shows an error above the page's content.
 * @param {unknown} error
 * @param {() => unknown} again
 */
export function problem(error, again) {
  if (error instanceof SignedOut) return signIn();
  if (error instanceof DOMException && error.name === "AbortError") return;
  const place = byId("problem");
  const passing = error instanceof Unreachable || (error instanceof Problem && error.passing);
  if (!passing && !(error instanceof Problem)) console.error(error);
  replace(
    place,
    element("p", {}, said(error)),
    passing && element("div", { class: "actions" }, element("button", { type: "button", onclick: again }, "Try again")),
  );
  place.hidden = false;
}

/** @param {unknown} error */
function said(error) {
  if (error instanceof Problem && error.status === 404) {
    return "Nothing is found here for your account. The link may be wrong, or belong to another account.";
  }
  return explain(error);
}

/** The name of the page shown in the browser's title. @param {string} text */
export function title(text) {
  document.title = `${text} · Waitlist`;
}

/** Says in which zone the page's times are. @param {string} [zone] */
export function showZone(zone) {
  setText(byId("zone"), zone ? `Times in ${zone}.` : "Times in the time zone of this device.");
}
