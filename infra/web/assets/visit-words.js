/** A visit in words of the current language. */

import { language, number, texts } from "./text.js";
import { minutes, timeOfDay, until } from "./time.js";

/** A quote that has passed for less than this long is still "any moment now". */
const LATE_MS = 60_000;

/**
 * What the page shows of a visit; empty texts if there is none.
 * @param {Api.Visit | null} visit
 * @returns {{ title: string, lead: string, position: string, party: string }}
 */
export function wording(visit) {
  if (!visit) return { title: "", lead: "", position: "", party: "" };
  const words = texts();
  const active = ["waiting", "called", "confirmed"].includes(visit.state);
  const party = active ? words.party(visit.party_size, number(visit.party_size)) : "";
  const waits = visit.state === "waiting" && visit.position !== null;
  return { ...headline(visit), position: waits ? number(visit.position ?? 0) : "", party };
}

/**
 * @param {Api.Visit} visit
 * @returns {{ title: string, lead: string }}
 */
function headline(visit) {
  const words = texts();
  switch (visit.state) {
    case "waiting":
      return { title: ahead(visit), lead: quote(visit) };
    case "called":
      return { title: words.calledTitle, lead: held(visit) };
    case "confirmed":
      return { title: words.confirmedTitle, lead: words.confirmed };
    case "seated":
      return { title: words.seatedTitle, lead: words.seated };
    case "left":
      return { title: words.leftTitle, lead: words.left };
    case "removed":
      return { title: words.removedTitle, lead: words.removed };
    case "no-show":
      return { title: words.noShowTitle, lead: words.noShow };
  }
}

/** @param {Api.Visit} visit */
function ahead({ ahead }) {
  if (ahead === null) return texts().onList;
  return ahead === 0 ? texts().next : texts().ahead(ahead, number(ahead));
}

/** @param {Api.Visit} visit */
function quote({ quoted_at, waitlist }) {
  if (quoted_at === null) return "";
  const ms = until(quoted_at);
  if (ms < -LATE_MS) return texts().late;
  if (ms < 60_000) return texts().soon;
  const wait = minutes(Math.ceil(ms / 60_000) * 60_000, language());
  return texts().quote(wait, timeOfDay(quoted_at, waitlist.time_zone, language()));
}

/** @param {Api.Visit} visit */
function held({ hold_until, waitlist }) {
  if (hold_until === null) return texts().comeIn;
  if (until(hold_until) <= 0) return texts().heldOver;
  return texts().held(timeOfDay(hold_until, waitlist.time_zone, language()));
}
